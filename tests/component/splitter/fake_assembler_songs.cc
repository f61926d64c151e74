// What FakeAssembler does with songs.
#include <utility>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/status_convert.h"
#include "tests/component/splitter/fake_assembler.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

constexpr absl::Duration kLookAtCancellation = absl::Milliseconds(20);

}  // namespace

void FakeAssembler::RefuseSongs(std::vector<grpc::Status> refusals) {
  absl::MutexLock lock(&mutex_);
  song_refusals_.assign(refusals.begin(), refusals.end());
}

void FakeAssembler::LosePlannedSongs(int count) {
  absl::MutexLock lock(&mutex_);
  songs_to_lose_ = count;
}

void FakeAssembler::HoldSongs() {
  absl::MutexLock lock(&mutex_);
  holding_songs_ = true;
}

void FakeAssembler::ServeSongs() {
  absl::MutexLock lock(&mutex_);
  holding_songs_ = false;
}

bool FakeAssembler::AwaitSongsBegun(int count) const {
  absl::MutexLock lock(&mutex_);
  auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return songs_begun_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
}

bool FakeAssembler::AwaitSongsCancelled(int count) const {
  absl::MutexLock lock(&mutex_);
  auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return songs_cancelled_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
}

grpc::Status FakeAssembler::BeginSong(grpc::ServerContext* context,
                                      const internal::v1::PutSongRequest& first) {
  absl::MutexLock lock(&mutex_);
  ++songs_begun_;
  if (!song_refusals_.empty()) {
    grpc::Status refusal = song_refusals_.front();
    song_refusals_.pop_front();
    return refusal;
  }
  auto released = [&]()
                      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !holding_songs_ || closing_; };
  while (!mutex_.AwaitWithTimeout(absl::Condition(&released), kLookAtCancellation)) {
    if (!context->IsCancelled()) continue;
    ++songs_cancelled_;
    return grpc::Status(grpc::StatusCode::CANCELLED, "the caller has gone");
  }
  if (records_[first.separation_id()].attempt == first.attempt()) return grpc::Status::OK;
  return grpc_util::ToGrpc(base::Error(absl::StatusCode::kAborted, "STALE_ATTEMPT", "it ended"));
}

grpc::Status FakeAssembler::PutSong(grpc::ServerContext* context,
                                    grpc::ServerReader<internal::v1::PutSongRequest>* reader,
                                    google::protobuf::Empty*) {
  internal::v1::PutSongRequest part;
  std::string song;
  int64_t id = 0;
  while (reader->Read(&part)) {
    if (song.empty()) {
      id = part.separation_id();
      grpc::Status begun = BeginSong(context, part);
      if (!begun.ok()) return begun;
    }
    if (part.crc32c() != base::Crc32c(part.samples())) {
      return grpc::Status(grpc::StatusCode::DATA_LOSS, "a part is damaged");
    }
    song += part.samples();
  }
  absl::MutexLock lock(&mutex_);
  records_[id].song = std::move(song);
  ++records_[id].songs;
  return grpc::Status::OK;
}

}  // namespace unbraid::splitter
