#include "bench/transfer/client.h"

#include <grpcpp/client_context.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "services/common/store/files.h"
#include "unbraid/v1/separation_service.grpc.pb.h"
#include "unbraid/v1/track_service.grpc.pb.h"

namespace unbraid::bench {
namespace {

constexpr int64_t kPartBytes = 256 << 10;
constexpr absl::Duration kMostWait = absl::Minutes(2);

absl::StatusOr<std::vector<v1::UploadTrackRequest>> PartsOf(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const store::File file,
                           store::File::Open(path, store::File::Mode::kRead));
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  std::vector<v1::UploadTrackRequest> parts;
  for (int64_t offset = 0; offset < size; offset += kPartBytes) {
    std::string data(kPartBytes, '\0');
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, file.ReadAt(offset, data.data(), kPartBytes));
    data.resize(static_cast<size_t>(got));
    v1::UploadTrackRequest part;
    part.set_write_offset(offset);
    part.set_crc32c(base::Crc32c(data));
    part.set_finish_write(offset + got == size);
    part.set_data(std::move(data));
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  v1::UploadSpec* spec = parts.front().mutable_spec();
  spec->set_upload_id(absl::StrCat("bench-", absl::ToUnixNanos(absl::Now())));
  spec->set_display_name("bench");
  spec->set_total_bytes(size);
  return parts;
}

double SecondsSince(absl::Time begin) { return absl::ToDoubleSeconds(absl::Now() - begin); }

// A connected channel, so that no figure has the connecting in it.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connected(const std::string& server) {
  std::shared_ptr<grpc::Channel> channel = grpc_util::Connect(server);
  if (!channel->WaitForConnected(absl::ToChronoTime(absl::Now() + kMostWait))) {
    return absl::UnavailableError(absl::StrCat("cannot connect to ", server));
  }
  return channel;
}

}  // namespace

absl::StatusOr<nlohmann::json> Upload(const std::string& server, const std::string& file) {
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<v1::UploadTrackRequest> parts, PartsOf(file));
  UNBRAID_ASSIGN_OR_RETURN(const auto channel, Connected(server));
  const auto stub = v1::TrackService::NewStub(channel);
  grpc::ClientContext context;
  grpc_util::PrepareCall(&context, kMostWait, grpc_util::kDefaultOwner);
  v1::UploadTrackResponse response;
  const absl::Time begin = absl::Now();
  const auto writer = stub->UploadTrack(&context, &response);
  for (const v1::UploadTrackRequest& part : parts) {
    if (!writer->Write(part)) break;  // Finish() tells why
  }
  writer->WritesDone();
  const double sent_seconds = SecondsSince(begin);
  UNBRAID_RETURN_IF_ERROR(grpc_util::FromGrpc(writer->Finish()));
  return nlohmann::json{{"sent_seconds", sent_seconds},
                        {"seconds", SecondsSince(begin)},
                        {"bytes", response.committed_size()}};
}

absl::StatusOr<nlohmann::json> Download(const std::string& server, const std::string& stem) {
  UNBRAID_ASSIGN_OR_RETURN(const auto channel, Connected(server));
  const auto stub = v1::SeparationService::NewStub(channel);
  grpc::ClientContext context;
  grpc_util::PrepareCall(&context, kMostWait, grpc_util::kDefaultOwner);
  v1::DownloadStemRequest request;
  request.set_name(stem);
  const absl::Time begin = absl::Now();
  const auto reader = stub->DownloadStem(&context, request);
  v1::DownloadStemResponse part;
  size_t bytes = 0;
  while (reader->Read(&part)) bytes += part.data().size();
  UNBRAID_RETURN_IF_ERROR(grpc_util::FromGrpc(reader->Finish()));
  return nlohmann::json{{"seconds", SecondsSince(begin)}, {"bytes", bytes}};
}

}  // namespace unbraid::bench
