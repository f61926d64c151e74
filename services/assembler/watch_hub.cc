#include "services/assembler/watch_hub.h"

namespace unbraid::assembler {

void WatchHub::Subscribe(base::SeparationId id, Watcher* watcher) {
  absl::MutexLock lock(&mutex_);
  watchers_[id].insert(watcher);
  if (closed_) watcher->OnNews(nullptr);
}

void WatchHub::Unsubscribe(base::SeparationId id, Watcher* watcher) {
  absl::MutexLock lock(&mutex_);
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  found->second.erase(watcher);
  if (found->second.empty()) watchers_.erase(found);
}

void WatchHub::Publish(base::SeparationId id, const v1::Separation& separation) {
  absl::MutexLock lock(&mutex_);
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  const auto news = std::make_shared<const v1::Separation>(separation);
  for (Watcher* watcher : found->second) watcher->OnNews(news);
}

void WatchHub::TellJoined(base::SeparationId id, int64_t frames) {
  absl::MutexLock lock(&mutex_);
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  for (Watcher* watcher : found->second) watcher->OnJoined(frames);
}

void WatchHub::Beat() {
  absl::MutexLock lock(&mutex_);
  for (auto& [id, watchers] : watchers_) {
    for (Watcher* watcher : watchers) watcher->OnBeat();
  }
}

size_t WatchHub::watchers() const {
  absl::MutexLock lock(&mutex_);
  size_t count = 0;
  for (const auto& [id, watchers] : watchers_) count += watchers.size();
  return count;
}

void WatchHub::Close(base::SeparationId id) {
  absl::MutexLock lock(&mutex_);
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  for (Watcher* watcher : found->second) watcher->OnNews(nullptr);
}

void WatchHub::CloseAll() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  for (auto& [id, watchers] : watchers_) {
    for (Watcher* watcher : watchers) watcher->OnNews(nullptr);
  }
}

}  // namespace unbraid::assembler
