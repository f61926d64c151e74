#include <catch2/catch.hpp>

#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "tests/component/splitter/harness.h"

namespace unbraid::splitter {
namespace {

using Stub = Harness::Stub;

TEST_CASE_METHOD(Harness, "an upload in parts becomes a track that can be asked for") {
  const std::string song = WriteSong(folder_.path() + "/s.wav", 100'000);
  const auto response = Upload("id", song, 10'000);
  INFO(response.status());
  REQUIRE(response.ok());
  CHECK(response->upload_id() == "id");
  CHECK(response->committed_size() == static_cast<int64_t>(song.size()));
  CHECK(response->track().sha256() == base::ToHex(base::Sha256Of(song)));

  v1::GetTrackRequest get;
  get.set_name(response->track().name());
  v1::Track track;
  REQUIRE(grpc_util::Call(stub(), &Stub::GetTrack, get, &track, "default").ok());
  CHECK(track.SerializeAsString() == response->track().SerializeAsString());

  v1::ListTracksResponse list;
  REQUIRE(
      grpc_util::Call(stub(), &Stub::ListTracks, v1::ListTracksRequest(), &list, "default").ok());
  CHECK(list.tracks_size() == 1);
}

TEST_CASE_METHOD(Harness, "a broken upload goes on at the committed size, after a restart too") {
  const std::string song = WriteSong(folder_.path() + "/s.wav", 100'000);
  const auto begun = Upload("id", song.substr(0, 50'000), 10'000, 0, /*finish=*/false);
  INFO(begun.status());
  REQUIRE(begun.ok());
  CHECK(begun->committed_size() == 50'000);
  CHECK_FALSE(begun->has_track());
  StopSplitter();
  StartSplitter();
  v1::GetUploadRequest get;
  get.set_upload_id("id");
  v1::Upload upload;
  REQUIRE(grpc_util::Call(stub(), &Stub::GetUpload, get, &upload, "default").ok());
  REQUIRE(upload.committed_size() == 50'000);
  const auto finished = Upload("id", song, 10'000, 50'000);
  INFO(finished.status());
  REQUIRE(finished.ok());
  CHECK(finished->track().sha256() == base::ToHex(base::Sha256Of(song)));
}

TEST_CASE_METHOD(Harness, "a second stream takes an upload over, and the first is told at once") {
  grpc::ClientContext context;
  grpc_util::PrepareCall(&context, kPatience, "default");
  v1::UploadTrackResponse unused;
  const auto first = stub()->UploadTrack(&context, &unused);
  v1::UploadTrackRequest request;
  request.mutable_spec()->set_upload_id("id");
  request.set_data("0123456789");
  REQUIRE(first->Write(request));
  // The first stream stays open and idle; what it brought must have arrived.
  v1::GetUploadRequest get;
  get.set_upload_id("id");
  v1::Upload upload;
  while (upload.committed_size() < 10) {
    (void)grpc_util::Call(stub(), &Stub::GetUpload, get, &upload, "default");
  }
  const auto second = Upload("id", "0123456789abc", 100, 10, /*finish=*/false);
  INFO(second.status());
  REQUIRE(second.ok());
  CHECK(second->committed_size() == 13);
  const absl::Status status = grpc_util::FromGrpc(first->Finish());
  CHECK(absl::IsAborted(status));
  CHECK(base::ReasonOf(status) == "UPLOAD_TAKEN_OVER");
}

TEST_CASE_METHOD(Harness, "refusals carry code, reason and limit") {
  const std::string song = WriteSong(folder_.path() + "/s.wav", 10'000);
  const absl::Status offset = Upload("a", song, 1000, 500).status();
  CHECK(absl::IsOutOfRange(offset));
  CHECK(base::ReasonOf(offset) == "WRITE_OFFSET_MISMATCH");
  CHECK(base::FactsOf(offset)["committed_size"] == "0");
  CHECK(base::ReasonOf(Upload("b", "").status()) == "EMPTY_FILE");
  CHECK(base::ReasonOf(Upload("c", "no audio at all, but enough bytes").status()) ==
        "UNKNOWN_FORMAT");
  StopSplitter();
  config_.max_upload_bytes = 5000;
  StartSplitter();
  const absl::Status large = Upload("d", song, 1000).status();
  CHECK(absl::IsResourceExhausted(large));
  CHECK(base::ReasonOf(large) == "FILE_TOO_LARGE");
  CHECK(base::FactsOf(large)["limit_bytes"] == "5000");
}

TEST_CASE_METHOD(Harness, "a track that a separation reads is not deleted, and afterwards it is") {
  const v1::Track track = UploadSong(5000);
  const int64_t id = StartJob(track);
  v1::DeleteTrackRequest request;
  request.set_name(track.name());
  google::protobuf::Empty empty;
  const auto remove = [&] {
    return grpc_util::Call(stub(), &Stub::DeleteTrack, request, &empty, "default");
  };
  const absl::Status used = remove();
  CHECK(absl::IsFailedPrecondition(used));
  CHECK(base::ReasonOf(used) == "TRACK_IN_USE");
  assembler_.End(id, v1::Separation::STATE_SUCCEEDED);
  REQUIRE(sink_.AwaitCancels(1));
  // The notice goes out just before the record is removed.
  absl::Status removed = remove();
  for (int i = 0; i < 1000 && base::ReasonOf(removed) == "TRACK_IN_USE"; ++i) removed = remove();
  CHECK(removed.ok());
  CHECK(base::ReasonOf(remove()) == "UNKNOWN_TRACK");
}

TEST_CASE_METHOD(Harness, "the status tells limits, broker and queues") {
  depths_.SetChunks(QueueCounts{3, 2});
  REQUIRE(assembler_.AwaitSnapshots(1));
  internal::v1::GetSplitterStatusRequest request;
  request.add_models("tiny");
  internal::v1::GetSplitterStatusResponse status;
  REQUIRE(grpc_util::Call(stub(), &Stub::GetSplitterStatus, request, &status, "default").ok());
  CHECK(status.service().name() == "splitter");
  CHECK(status.service().available());
  CHECK(status.broker().connected());
  REQUIRE(status.queues_size() == 1);
  CHECK(status.queues(0).ready_chunks() == 3);
  CHECK(status.queues(0).workers() == 2);
  CHECK(status.limits().max_upload_bytes() == config_.max_upload_bytes);
  CHECK(status.limits().max_duration().seconds() == 4 * 3600);
  CHECK(status.limits().max_part_bytes() == 1 << 20);
}

}  // namespace
}  // namespace unbraid::splitter
