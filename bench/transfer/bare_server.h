#ifndef UNBRAID_BENCH_TRANSFER_BARE_SERVER_H_
#define UNBRAID_BENCH_TRANSFER_BARE_SERVER_H_

#include <cstdint>

#include "unbraid/v1/separation_service.grpc.pb.h"
#include "unbraid/v1/track_service.grpc.pb.h"

namespace unbraid::bench {

// Takes the parts of an upload, and forgets them.
class BareTracks : public v1::TrackService::Service {
 public:
  grpc::Status UploadTrack(grpc::ServerContext* context,
                           grpc::ServerReader<v1::UploadTrackRequest>* reader,
                           v1::UploadTrackResponse* response) override;
};

// Sends so many bytes in parts of 256 KiB, whatever is asked for.
class BareSeparations : public v1::SeparationService::Service {
 public:
  explicit BareSeparations(int64_t bytes) : bytes_(bytes) {}

  grpc::Status DownloadStem(grpc::ServerContext* context, const v1::DownloadStemRequest* request,
                            grpc::ServerWriter<v1::DownloadStemResponse>* writer) override;

 private:
  const int64_t bytes_;
};

}  // namespace unbraid::bench

#endif  // UNBRAID_BENCH_TRANSFER_BARE_SERVER_H_
