#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/time/clock.h"
#include "services/assembler/assembler_server.h"
#include "services/common/grpc/status_convert.h"
#include "services/common/store/files.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;
using Stub = internal::v1::AssemblerService::Stub;

constexpr absl::Duration kWeek = absl::Hours(7 * 24);

}  // namespace

TEST_CASE("a download that has begun ends well although its separation expires meanwhile") {
  Harness harness([](Engine::Options* options) { options->retention = kWeek; });
  Song song;
  song.window = 65'536;
  song.overlap = 8'192;
  song.frames = song.model_frames = 1'000'000;  // more than a connection takes ahead
  harness.bench.Complete(song);
  const std::string path = harness.bench.PathOf(song, "out/vocals.wav");
  const std::string whole = ReadAll(path);
  const auto context = StreamContext();
  v1::DownloadStemRequest request;
  request.set_name("separations/123/stems/vocals");
  const auto reader = harness.stub()->DownloadStem(context.get(), request);
  v1::DownloadStemResponse part;
  REQUIRE(reader->Read(&part));
  std::string bytes = part.data();
  harness.bench.On([](Engine& e) {
    const absl::Time later = absl::Now() + kWeek + absl::Minutes(1);
    e.Tick(later, later);
    return true;
  });
  REQUIRE_FALSE(std::filesystem::exists(path));
  while (reader->Read(&part)) bytes += part.data();
  CHECK(reader->Finish().ok());
  CHECK(bytes == whole);
  const auto after = StreamContext();
  const auto none = harness.stub()->DownloadStem(after.get(), request);
  CHECK_FALSE(none->Read(&part));
  CHECK(none->Finish().error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("an assembler whose disk is nearly full says so, and tells how long it keeps what") {
  const test_support::TempDir folder;
  REQUIRE(store::WriteFileDurably(folder.path() + "/password", "secret\n").ok());
  Config config;
  config.data = folder.path() + "/data";
  config.listen = "127.0.0.1:0";
  config.broker.address = "127.0.0.1:1";
  config.broker.password_file = folder.path() + "/password";
  config.min_free_bytes = int64_t{1} << 60;
  config.separation_retention = absl::Minutes(90);
  const auto server = AssemblerServer::Create(config);
  REQUIRE(server.ok());
  const auto stub =
      internal::v1::AssemblerService::NewStub(grpc_util::Connect((*server)->address().ToString()));
  internal::v1::GetAssemblerStatusResponse status;
  REQUIRE(grpc_util::Call(stub.get(), &Stub::GetAssemblerStatus,
                          internal::v1::GetAssemblerStatusRequest(), &status, kOwner)
              .ok());
  CHECK_FALSE(status.service().available());
  CHECK_THAT(status.service().message(), Contains("the disk is nearly full"));
  CHECK(status.separation_retention().seconds() == 5400);
}

}  // namespace unbraid::assembler
