#include "services/gateway/stream_lives.h"

#include <algorithm>

#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/grpc/status_convert.h"

namespace unbraid::gateway {
namespace {

grpc::Status TooOld() {
  return grpc_util::ToGrpc(
      base::Error(absl::StatusCode::kUnavailable, "STREAM_TOO_OLD",
                  "This stream has lived for as long as one may. Call again; nothing is lost."));
}

grpc::Status Leaving() {
  return grpc_util::ToGrpc(
      base::Error(absl::StatusCode::kUnavailable, "BACKEND_UNAVAILABLE",
                  "This gateway is shutting down. Call again; nothing is lost."));
}

}  // namespace

StreamLives::StreamLives(absl::Duration longest)
    : longest_(longest), thread_([this] { Watch(); }) {}

StreamLives::~StreamLives() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void StreamLives::Add(Stream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::Time due = base::SteadyNow() + longest_;
  due_[stream] = due;
  if (leaving_) stream->End(Leaving());
  if (due >= next_) return;
  next_ = due;
  changed_.notify_all();
}

void StreamLives::Remove(Stream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  due_.erase(stream);
}

void StreamLives::EndAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  leaving_ = true;
  for (const auto& [stream, due] : due_) stream->End(Leaving());
}

void StreamLives::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const absl::Time next = next_;
    base::SteadyWait(&changed_, &lock, next - base::SteadyNow(),
                     [&] { return stopping_ || next_ < next; });
    const absl::Time now = base::SteadyNow();
    if (now >= next_) EndOld(now);
  }
}

void StreamLives::EndOld(absl::Time now) {
  next_ = absl::InfiniteFuture();
  for (auto& [stream, due] : due_) {
    if (due <= now) {
      stream->End(TooOld());
      due = absl::InfiniteFuture();  // once is enough; it takes itself away
    }
    next_ = std::min(next_, due);
  }
}

}  // namespace unbraid::gateway
