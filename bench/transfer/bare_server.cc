#include "bench/transfer/bare_server.h"

#include <algorithm>
#include <string>

namespace unbraid::bench {
namespace {

constexpr int64_t kPartBytes = 256 << 10;

}  // namespace

grpc::Status BareTracks::UploadTrack(grpc::ServerContext* /*context*/,
                                     grpc::ServerReader<v1::UploadTrackRequest>* reader,
                                     v1::UploadTrackResponse* response) {
  v1::UploadTrackRequest part;
  while (reader->Read(&part)) {
    response->set_committed_size(part.write_offset() + static_cast<int64_t>(part.data().size()));
  }
  return grpc::Status::OK;
}

grpc::Status BareSeparations::DownloadStem(grpc::ServerContext* /*context*/,
                                           const v1::DownloadStemRequest* /*request*/,
                                           grpc::ServerWriter<v1::DownloadStemResponse>* writer) {
  v1::DownloadStemResponse part;
  part.set_data(std::string(kPartBytes, 'x'));
  for (int64_t offset = 0; offset < bytes_; offset += kPartBytes) {
    part.mutable_data()->resize(static_cast<size_t>(std::min(kPartBytes, bytes_ - offset)));
    part.set_offset(offset);
    if (!writer->Write(part)) break;
  }
  return grpc::Status::OK;
}

}  // namespace unbraid::bench
