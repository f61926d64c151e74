#include "services/splitter/song_sender.h"

#include <algorithm>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {
namespace {

constexpr int64_t kPartBytes = 256 << 10;
constexpr int64_t kSlowestBytesPerSecond = 1 << 20;

using Writer = grpc::ClientWriter<internal::v1::PutSongRequest>;

// Stops without an error when the assembler takes no more: its answer says why.
absl::Status WriteParts(const store::File& file, int64_t bytes, const SongFile& song,
                        Writer* writer) {
  const int64_t frame_bytes = song.channels * static_cast<int64_t>(sizeof(float));
  const int64_t part_bytes = kPartBytes / frame_bytes * frame_bytes;
  internal::v1::PutSongRequest request;
  request.set_separation_id(song.id.value());
  request.set_attempt(song.attempt);
  for (int64_t offset = 0; offset < bytes; offset += part_bytes) {
    std::string* samples = request.mutable_samples();
    samples->resize(static_cast<size_t>(std::min(part_bytes, bytes - offset)));
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(offset, samples->data(),
                                                            static_cast<int64_t>(samples->size())));
    samples->resize(static_cast<size_t>(got));
    request.set_crc32c(base::Crc32c(*samples));
    if (!writer->Write(request)) break;
    request.Clear();
  }
  writer->WritesDone();
  return absl::OkStatus();
}

}  // namespace

absl::Status SendSong(internal::v1::AssemblerService::Stub* stub, const std::string& owner,
                      const SongFile& song, grpc_util::Cancellation* cancellation) {
  UNBRAID_ASSIGN_OR_RETURN(const store::File file,
                           store::File::Open(song.path, store::File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t bytes, file.Size());
  grpc::ClientContext context;
  grpc_util::PrepareCall(
      &context, grpc_util::kUnaryDeadline + absl::Seconds(bytes / kSlowestBytesPerSecond), owner);
  const grpc_util::Cancellation::Scope scope(cancellation, &context);
  google::protobuf::Empty empty;
  const auto writer = stub->PutSong(&context, &empty);
  const absl::Status written = WriteParts(file, bytes, song, writer.get());
  if (!written.ok()) context.TryCancel();
  const absl::Status answer = grpc_util::FromGrpc(writer->Finish());
  return written.ok() ? answer : written;
}

}  // namespace unbraid::splitter
