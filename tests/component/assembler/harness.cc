#include "tests/component/assembler/harness.h"

#include <catch2/catch.hpp>

namespace unbraid::assembler {

Harness::Harness(const std::function<void(Engine::Options*)>& adjust, int most_readers)
    : bench(folder.path(), adjust) {
  REQUIRE(bench.created.ok());
  service_ = std::make_unique<AssemblerServiceImpl>(AssemblerServiceImpl::Parts{
      bench.engine.get(), &bench.engine_executor, &disk_, &bench.hub, &bench.feed, "assembler-7",
      [] { return absl::OkStatus(); }, most_readers});
  grpc_util::ServerOptions options;
  options.listen = {"127.0.0.1", 0};
  options.services = {service_.get()};
  auto server = grpc_util::Server::Start(options);
  REQUIRE(server.ok());
  server_ = *std::move(server);
  stub_ =
      internal::v1::AssemblerService::NewStub(grpc_util::Connect(server_->address().ToString()));
}

Harness::~Harness() { Drain(); }

void Harness::Drain() {
  bench.hub.CloseAll();
  bench.feed.CloseAll();
  server_->Shutdown(absl::Seconds(5));
  disk_.Stop();
}

absl::Status Harness::Open(const Song& song, internal::v1::OpenSeparationResponse* response) {
  return Call(&Stub::OpenSeparation, song.Open(), response);
}

absl::StatusOr<v1::Separation> Harness::Cancel(const Song& song) {
  v1::CancelSeparationRequest request;
  request.set_name(base::SeparationName(song.separation_id()));
  v1::Separation response;
  const absl::Status status = Call(&Stub::CancelSeparation, request, &response);
  if (!status.ok()) return status;
  return response;
}

std::unique_ptr<grpc::ClientContext> StreamContext(const std::string& owner) {
  auto context = std::make_unique<grpc::ClientContext>();
  grpc_util::PrepareCall(context.get(), 3 * kPatience, owner);  // it lives as long as a separation
  return context;
}

}  // namespace unbraid::assembler
