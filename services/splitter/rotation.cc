#include "services/splitter/rotation.h"

#include <algorithm>

namespace unbraid::splitter {

void Rotation::Add(base::SeparationId id, const base::PackageId& package, int64_t chunks,
                   const std::vector<bool>& done) {
  Remove(id);
  Entry& entry = entries_[id];
  entry.package = package;
  entry.chunks = chunks;
  entry.ready = chunks;
  entry.done = done;
  entry.done.resize(static_cast<size_t>(chunks), false);
  SkipDone(&entry);
  ring_.push_back(id);
}

void Rotation::Remove(base::SeparationId id) {
  if (entries_.erase(id) == 0) return;
  ring_.erase(std::find(ring_.begin(), ring_.end(), id));
}

void Rotation::SetReady(base::SeparationId id, int64_t chunks) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second.ready = chunks;
}

void Rotation::Retry(base::SeparationId id, int64_t chunk, int32_t try_number) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (chunk < 0 || chunk >= entry.chunks) return;
  const auto given_out = entry.tries.find(chunk);
  if (given_out != entry.tries.end() && given_out->second >= try_number) return;
  if (chunk >= entry.next && !entry.done[static_cast<size_t>(chunk)]) {
    entry.tries[chunk] = try_number;  // the round comes to it
    return;
  }
  int32_t& waiting = entry.again[chunk];
  waiting = std::max(waiting, try_number);
}

void Rotation::PutBack(const Turn& turn) {
  const auto found = entries_.find(turn.id);
  if (found == entries_.end()) return;
  int32_t& waiting = found->second.again[turn.chunk];
  waiting = std::max(waiting, turn.try_number);
}

void Rotation::Resend(base::SeparationId id, const std::vector<bool>& done) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.done = done;
  entry.done.resize(static_cast<size_t>(entry.chunks), false);
  entry.next = 0;
  entry.round_try = 2;
  SkipDone(&entry);
}

std::optional<Rotation::Turn> Rotation::Next(
    const std::function<bool(const base::PackageId& package)>& may) {
  for (size_t i = 0; i < ring_.size(); ++i) {
    const base::SeparationId id = ring_.front();
    ring_.pop_front();
    ring_.push_back(id);
    Entry& entry = entries_.at(id);
    if (CanGive(entry) && may(entry.package)) return Take(id, &entry);
  }
  return std::nullopt;
}

Rotation::Turn Rotation::Take(base::SeparationId id, Entry* entry) {
  Turn turn;
  turn.id = id;
  // In track order: if the first of them is not ready, none is.
  if (!entry->again.empty() && entry->again.begin()->first < entry->ready) {
    turn.chunk = entry->again.begin()->first;
    turn.try_number = entry->again.begin()->second;
    entry->again.erase(entry->again.begin());
    if (turn.try_number > 1) entry->tries[turn.chunk] = turn.try_number;
    return turn;
  }
  turn.chunk = entry->next;
  const auto tries = entry->tries.find(turn.chunk);
  if (tries != entry->tries.end()) turn.try_number = tries->second;
  turn.try_number = std::max(turn.try_number, entry->round_try);
  ++entry->next;
  SkipDone(entry);
  return turn;
}

void Rotation::SkipDone(Entry* entry) {
  while (entry->next < entry->chunks && entry->done[static_cast<size_t>(entry->next)]) {
    ++entry->next;
  }
}

bool Rotation::HasWork(const Entry& entry) {
  return !entry.again.empty() || entry.next < entry.chunks;
}

bool Rotation::CanGive(const Entry& entry) {
  const bool again = !entry.again.empty() && entry.again.begin()->first < entry.ready;
  return again || entry.next < std::min(entry.chunks, entry.ready);
}

bool Rotation::HasWork(base::SeparationId id) const {
  const auto found = entries_.find(id);
  return found != entries_.end() && HasWork(found->second);
}

std::set<base::PackageId> Rotation::WaitingPackages() const {
  std::set<base::PackageId> packages;
  for (const auto& [id, entry] : entries_) {
    if (CanGive(entry)) packages.insert(entry.package);
  }
  return packages;
}

}  // namespace unbraid::splitter
