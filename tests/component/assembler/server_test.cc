#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "services/assembler/assembler_server.h"
#include "services/common/store/files.h"
#include "tests/component/assembler/harness.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;
using Stub = internal::v1::AssemblerService::Stub;

// A whole assembler whose broker is away.
struct Lonely {
  Lonely() {
    REQUIRE(store::WriteFileDurably(folder.path() + "/password", "secret\n").ok());
    config.data = folder.path() + "/data";
    config.listen = "127.0.0.1:0";
    config.common.http = "127.0.0.1:0";
    config.common.address_file = folder.path() + "/addresses";
    config.broker.address = "127.0.0.1:1";
    config.broker.password_file = folder.path() + "/password";
  }
  test_support::TempDir folder;
  Config config;
};

}  // namespace

TEST_CASE("Case 28: without a broker calls are answered, and the status says what is amiss") {
  Lonely lonely;
  auto server = AssemblerServer::Create(lonely.config);
  REQUIRE(server.ok());
  CHECK_THAT(ReadAll(lonely.config.common.address_file),
             Contains("grpc=127.0.0.1:") && Contains("http=127.0.0.1:"));
  const auto stub =
      internal::v1::AssemblerService::NewStub(grpc_util::Connect((*server)->address().ToString()));
  internal::v1::OpenSeparationResponse opened;
  REQUIRE(grpc_util::Call(stub.get(), &Stub::OpenSeparation, Song().Open(), &opened, kOwner).ok());
  CHECK(opened.attempt() == 1);
  internal::v1::GetAssemblerStatusResponse status;
  REQUIRE(grpc_util::Call(stub.get(), &Stub::GetAssemblerStatus,
                          internal::v1::GetAssemblerStatusRequest(), &status, kOwner)
              .ok());
  CHECK_FALSE(status.service().available());
  CHECK_THAT(status.service().message(), Contains("not consuming results"));
}

TEST_CASE("an assembler that ends lets its watchers go and comes back with what it knew") {
  Lonely lonely;
  {
    auto server = AssemblerServer::Create(lonely.config);
    REQUIRE(server.ok());
    const auto stub = internal::v1::AssemblerService::NewStub(
        grpc_util::Connect((*server)->address().ToString()));
    internal::v1::OpenSeparationResponse opened;
    REQUIRE(
        grpc_util::Call(stub.get(), &Stub::OpenSeparation, Song().Open(), &opened, kOwner).ok());
    const auto context = StreamContext();
    v1::WatchSeparationRequest request;
    request.set_name("separations/123");
    const auto reader = stub->WatchSeparation(context.get(), request);
    v1::WatchSeparationResponse news;
    REQUIRE(reader->Read(&news));
    const absl::Time begin = absl::Now();
    (*server)->Drain();
    CHECK(absl::Now() - begin < absl::Seconds(9));  // the grace was not needed
    while (reader->Read(&news)) {
    }
    CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
    (*server)->Drain();
  }
  auto again = AssemblerServer::Create(lonely.config);
  REQUIRE(again.ok());
  const auto stub =
      internal::v1::AssemblerService::NewStub(grpc_util::Connect((*again)->address().ToString()));
  v1::GetSeparationRequest request;
  request.set_name("separations/123");
  v1::Separation separation;
  REQUIRE(grpc_util::Call(stub.get(), &Stub::GetSeparation, request, &separation, kOwner).ok());
  CHECK(separation.state() == v1::Separation::STATE_PREPARING);
}

TEST_CASE("an assembler that cannot begin says why") {
  Lonely lonely;
  SECTION("no folder") {
    lonely.config.data = "";
    CHECK_THAT(std::string(AssemblerServer::Create(lonely.config).status().message()),
               Contains("--data is missing"));
  }
  SECTION("a folder that cannot be") {
    lonely.config.data = lonely.folder.path() + "/password/data";
    CHECK_FALSE(AssemblerServer::Create(lonely.config).ok());
  }
  SECTION("a folder that another one is at work in") {
    auto first = AssemblerServer::Create(lonely.config);
    REQUIRE(first.ok());
    const absl::Status second = AssemblerServer::Create(lonely.config).status();
    CHECK(absl::IsFailedPrecondition(second));
    CHECK_THAT(std::string(second.message()), Contains("another process is at work"));
  }
  SECTION("a port that is taken") {
    auto first = AssemblerServer::Create(lonely.config);
    REQUIRE(first.ok());
    Lonely second;
    second.config.listen = (*first)->address().ToString();
    CHECK(absl::IsUnavailable(AssemblerServer::Create(second.config).status()));
  }
}

}  // namespace unbraid::assembler
