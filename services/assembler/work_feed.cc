#include "services/assembler/work_feed.h"

namespace unbraid::assembler {
namespace {

constexpr int64_t kBits = 8;

}  // namespace

void WorkFeed::Subscribe(const std::string& splitter, Listener* listener) {
  absl::MutexLock lock(&mutex_);
  listeners_[splitter].insert(listener);
  if (closed_) listener->OnClosed();
}

void WorkFeed::Unsubscribe(const std::string& splitter, Listener* listener) {
  absl::MutexLock lock(&mutex_);
  const auto found = listeners_.find(splitter);
  if (found == listeners_.end()) return;
  found->second.erase(listener);
  if (found->second.empty()) listeners_.erase(found);
}

void WorkFeed::Publish(const std::string& splitter, const internal::v1::WatchWorkResponse& news) {
  absl::MutexLock lock(&mutex_);
  const auto found = listeners_.find(splitter);
  if (found == listeners_.end()) return;
  for (Listener* listener : found->second) listener->OnWork(news);
}

void WorkFeed::CloseAll() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  for (auto& [splitter, listeners] : listeners_) {
    for (Listener* listener : listeners) listener->OnClosed();
  }
}

internal::v1::WatchWorkResponse ActiveNews(const Job& job) {
  internal::v1::WatchWorkResponse news;
  auto* active = news.mutable_active();
  active->set_separation_id(job.id.value());
  active->set_attempt(job.attempt());
  active->set_chunks(job.chunks);
  std::string done(static_cast<size_t>((job.chunks + kBits - 1) / kBits), '\0');
  for (int64_t chunk = 0; chunk < job.chunks; ++chunk) {
    if (job.ChunkDone(chunk))
      done[static_cast<size_t>(chunk / kBits)] |= static_cast<char>(1 << (chunk % kBits));
  }
  active->set_done_chunks(done);
  return news;
}

internal::v1::WatchWorkResponse EndedNews(const Job& job) {
  internal::v1::WatchWorkResponse news;
  news.mutable_ended()->set_separation_id(job.id.value());
  news.mutable_ended()->set_attempt(job.attempt());
  return news;
}

internal::v1::WatchWorkResponse RetryNews(const Job& job, int64_t chunk) {
  internal::v1::WatchWorkResponse news;
  auto* retry = news.mutable_retry();
  retry->set_separation_id(job.id.value());
  retry->set_attempt(job.attempt());
  retry->set_chunk_index(chunk);
  retry->set_try_(job.chunk_records[static_cast<size_t>(chunk)].tries);
  return news;
}

internal::v1::WatchWorkResponse SnapshotEndNews() {
  internal::v1::WatchWorkResponse news;
  news.set_snapshot_end(true);
  return news;
}

}  // namespace unbraid::assembler
