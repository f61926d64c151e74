#include "services/common/grpc/server.h"

#include <catch2/catch.hpp>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "tests/unit/grpc/test_service.h"

namespace unbraid::grpc_util {
namespace {

using Stub = internal::v1::AssemblerService::Stub;

TEST_CASE("takes a free port, and never one that is taken") {
  TestServer first;
  CHECK(first.server->address().port > 0);
  TestService service;
  const auto second = Server::Start(Loopback({&service}, first.server->address().port));
  CHECK(second.status().code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(second.status().message()),
             Catch::Contains(first.server->address().ToString()) && Catch::Contains("--listen"));
}

TEST_CASE("carries the owner from one service to the other") {
  TestServer fixture;
  std::string owner;
  fixture.service.get = [&](grpc::CallbackServerContext* context, v1::Separation*) {
    owner = OwnerOf(*context);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  };
  v1::Separation separation;
  CHECK(Call(fixture.stub.get(), &Stub::GetSeparation, v1::GetSeparationRequest(), &separation,
             "somebody")
            .ok());
  CHECK(owner == "somebody");
  grpc::ClientContext nameless;
  CHECK(fixture.stub->GetSeparation(&nameless, v1::GetSeparationRequest(), &separation).ok());
  CHECK(owner == kDefaultOwner);
}

TEST_CASE("a call ends at its deadline") {
  TestServer fixture;
  // Deletes itself; answers when the caller has gone.
  class Silent : public grpc::ServerUnaryReactor {
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };
  fixture.service.get = [](auto*, auto*) { return new Silent(); };
  v1::Separation separation;
  const absl::Status status =
      Call(fixture.stub.get(), &Stub::GetSeparation, v1::GetSeparationRequest(), &separation,
           kDefaultOwner, absl::Milliseconds(50));
  CHECK(status.code() == absl::StatusCode::kDeadlineExceeded);
}

TEST_CASE("a service that is away is told as such, at once") {
  auto stub = internal::v1::AssemblerService::NewStub(Connect("127.0.0.1:1"));
  v1::Separation separation;
  const absl::Time begin = absl::Now();
  const absl::Status status = Call(stub.get(), &Stub::GetSeparation, v1::GetSeparationRequest(),
                                   &separation, kDefaultOwner);
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(base::ReasonOf(status) == "BACKEND_UNAVAILABLE");
  CHECK(absl::Now() - begin < kUnaryDeadline / 2);
}

TEST_CASE("a shutdown lets running calls end, takes no new ones, and may be repeated") {
  TestServer fixture;
  grpc::ServerUnaryReactor* running = nullptr;
  absl::Notification begun;
  fixture.service.get = [&](grpc::CallbackServerContext* context, v1::Separation* response) {
    response->set_name("separations/1");
    running = context->DefaultReactor();
    begun.Notify();
    return running;
  };
  v1::Separation separation;
  absl::Status status = absl::UnknownError("");
  std::thread caller([&] {
    status = Call(fixture.stub.get(), &Stub::GetSeparation, v1::GetSeparationRequest(), &separation,
                  kDefaultOwner);
  });
  begun.WaitForNotification();
  std::thread shutdown([&] { fixture.server->Shutdown(absl::Seconds(20)); });
  // New calls are refused before the old one has ended.
  absl::Status refused;
  while (refused.ok()) {
    auto probe =
        internal::v1::AssemblerService::NewStub(Connect(fixture.server->address().ToString()));
    v1::ListSeparationsResponse none;
    refused = Call(probe.get(), &Stub::ListSeparations, v1::ListSeparationsRequest(), &none,
                   kDefaultOwner);
    if (refused.code() == absl::StatusCode::kUnimplemented) refused = absl::OkStatus();
  }
  CHECK(refused.code() == absl::StatusCode::kUnavailable);
  CHECK(base::ReasonOf(refused) == "BACKEND_UNAVAILABLE");
  running->Finish(grpc::Status::OK);
  caller.join();
  shutdown.join();
  CHECK(status.ok());
  CHECK(separation.name() == "separations/1");
  fixture.server->Shutdown(absl::ZeroDuration());
}

}  // namespace
}  // namespace unbraid::grpc_util
