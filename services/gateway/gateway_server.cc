#include "services/gateway/gateway_server.h"

#include <utility>

#include "services/common/base/status.h"
#include "services/common/telemetry/log.h"

namespace unbraid::gateway {
namespace {

constexpr absl::Duration kPollPeriod = absl::Seconds(2);
constexpr absl::Duration kPollDeadline = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Create(const Config& config) {
  UNBRAID_RETURN_IF_ERROR(config.Validate());
  UNBRAID_ASSIGN_OR_RETURN(model::Catalogue catalogue,
                           model::Catalogue::Load(config.models, config.default_model));
  std::unique_ptr<GatewayServer> server(new GatewayServer(config, std::move(catalogue)));
  UNBRAID_RETURN_IF_ERROR(server->Start());
  return server;
}

GatewayServer::GatewayServer(const Config& config, model::Catalogue catalogue)
    : config_(config),
      catalogue_(std::move(catalogue)),
      backends_(config.splitter, config.assembler),
      sessions_("separate", config.max_separate_calls),
      tracks_(config_, &backends_, &metrics_),
      separations_(config_, &backends_, &sessions_, &metrics_),
      system_(config_, &backends_, &catalogue_, &metrics_) {}

absl::Status GatewayServer::Start() {
  grpc_util::ServerOptions options;
  UNBRAID_ASSIGN_OR_RETURN(options.listen, base::ParseHostPort(config_.listen));
  options.services = {&tracks_, &separations_, &system_};
  UNBRAID_ASSIGN_OR_RETURN(server_, grpc_util::Server::Start(options));
  telemetry::Probes probes;
  probes.live = [] { return absl::OkStatus(); };
  probes.ready = [this] { return Ready(); };
  UNBRAID_ASSIGN_OR_RETURN(http_,
                           telemetry::HttpServer::Start(config_.common.http, probes, &metrics_));
  poller_ = std::thread([this] { Poll(); });
  telemetry::Info("gateway is up", {{"grpc", server_->address().ToString()}});
  return config::WriteAddressFile(config_.common.address_file, server_->address().ToString(),
                                  http_ != nullptr ? http_->address().ToString() : "");
}

GatewayServer::~GatewayServer() {
  Drain();
  http_ = nullptr;  // its probes look at the parts below
}

absl::Status GatewayServer::Ready() const {
  absl::MutexLock lock(&mutex_);
  return draining_.stopped() ? absl::UnavailableError("shutting down") : ready_;
}

void GatewayServer::Poll() {
  while (true) {
    const absl::Status status = backends_.Check(kPollDeadline);
    {
      absl::MutexLock lock(&mutex_);
      if (draining_.stopped()) return;
      if (status.ok() != ready_.ok()) {
        telemetry::Info(status.ok() ? "ready" : "not ready",
                        {{"reason", std::string(status.message())}});
      }
      ready_ = status;
      server_->SetServing(status.ok());
    }
    if (draining_.Pause(kPollPeriod)) return;
  }
}

void GatewayServer::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    draining_.Stop();
  }
  if (server_ != nullptr) {
    server_->SetServing(false);  // the poller says nothing more once `draining_` is set
    separations_.EndStreams();
    server_->Shutdown(config_.grace);
  }
  if (poller_.joinable()) poller_.join();
  sessions_.Stop();
}

}  // namespace unbraid::gateway
