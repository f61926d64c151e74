#include "tests/component/splitter/harness.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"

namespace unbraid::splitter {

Harness::Harness() {
  config_.listen = "127.0.0.1:0";
  config_.data = folder_.path() + "/data";
  config_.models = folder_.path() + "/models";
  config_.assembler = assembler_.address();
  config_.min_free_bytes = 0;
  WritePackage(config_.models);
  StartSplitter();
}

Harness::~Harness() { StopSplitter(); }

void Harness::StartSplitter() {
  auto splitter = Splitter::Create(config_, LoadCatalogue(config_.models), {open_audio_, {"WAV"}},
                                   &sink_, &depths_, &metrics_, free_bytes_);
  INFO(splitter.status());
  REQUIRE(splitter.ok());
  splitter_ = *std::move(splitter);
  stub_ =
      internal::v1::SplitterService::NewStub(grpc_util::Connect(splitter_->address().ToString()));
}

void Harness::StopSplitter() {
  splitter_.reset();
  stub_.reset();
}

absl::StatusOr<v1::UploadTrackResponse> Harness::Upload(const std::string& id,
                                                        const std::string& bytes, size_t part_bytes,
                                                        size_t offset, bool finish) {
  grpc::ClientContext context;
  grpc_util::PrepareCall(&context, kPatience, "default");
  v1::UploadTrackResponse response;
  const auto writer = stub_->UploadTrack(&context, &response);
  bool first = true;
  do {
    const std::string part = bytes.substr(offset, part_bytes);
    v1::UploadTrackRequest request;
    if (first) request.mutable_spec()->set_upload_id(id);
    first = false;
    request.set_write_offset(static_cast<int64_t>(offset));
    request.set_data(part);
    request.set_crc32c(base::Crc32c(part));
    offset += part.size();
    request.set_finish_write(finish && offset == bytes.size());
    if (!writer->Write(request)) break;
  } while (offset < bytes.size());
  writer->WritesDone();
  UNBRAID_RETURN_IF_ERROR(grpc_util::FromGrpc(writer->Finish()));
  return response;
}

v1::Track Harness::UploadSong(int64_t frames, int channels, int rate_hz) {
  const std::string bytes = WriteSong(folder_.path() + "/song.wav", frames, rate_hz, channels);
  const auto response = Upload("", bytes);
  INFO(response.status());
  REQUIRE(response.ok());
  return response->track();
}

absl::StatusOr<v1::Separation> Harness::Start(const v1::Separation& wanted) {
  internal::v1::StartSeparationRequest request;
  *request.mutable_separation() = wanted;
  v1::Separation separation;
  UNBRAID_RETURN_IF_ERROR(grpc_util::Call(stub_.get(), &Stub::StartSeparation, request, &separation,
                                          "default", kPatience));
  return separation;
}

int64_t Harness::StartJob(const v1::Track& track) {
  v1::Separation wanted;
  wanted.set_track(track.name());
  const auto separation = Start(wanted);
  INFO(separation.status());
  REQUIRE(separation.ok());
  return IdOf(*separation);
}

std::string Harness::SpoolPath(int64_t id) const {
  return config_.data + "/spools/" + std::to_string(id) + ".f32";
}

int64_t IdOf(const v1::Separation& separation) {
  const auto id = base::ParseSeparationName(separation.name());
  REQUIRE(id.ok());
  return id->value();
}

bool Separating(const FakeAssembler::Record& record) {
  return record.state == v1::Separation::STATE_SEPARATING;
}

std::map<int64_t, int> Once(const std::vector<int64_t>& chunks) {
  std::map<int64_t, int> once;
  for (const int64_t chunk : chunks) once[chunk] = 1;
  return once;
}

}  // namespace unbraid::splitter
