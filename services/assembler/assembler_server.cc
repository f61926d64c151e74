#include "services/assembler/assembler_server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/common/amqp/connect.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

namespace unbraid::assembler {
namespace {

constexpr int kDiskThreads = 4;
// Watchers hear something at least so often.
constexpr absl::Duration kBeat = absl::Seconds(15);
constexpr absl::Duration kTick = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<std::unique_ptr<AssemblerServer>> AssemblerServer::Create(const Config& config) {
  UNBRAID_RETURN_IF_ERROR(config.Validate());
  std::unique_ptr<AssemblerServer> server(new AssemblerServer(config));
  UNBRAID_RETURN_IF_ERROR(server->Start());
  return server;
}

AssemblerServer::AssemblerServer(const Config& config)
    : config_(config),
      engine_executor_("engine", 1),
      finishing_executor_("finishing", config.finishing_threads),
      disk_executor_("disk", kDiskThreads) {}

absl::Status AssemblerServer::Start() {
  UNBRAID_ASSIGN_OR_RETURN(lock_, store::FolderLock::Take(config_.data));
  UNBRAID_ASSIGN_OR_RETURN(const amqp::ConnectionOptions broker,
                           amqp::ToConnectionOptions(config_.broker, config_.name));
  UNBRAID_ASSIGN_OR_RETURN(objects_, store::OpenObjectFolder(config_.object_folder));
  UNBRAID_RETURN_IF_ERROR(CreateEngine());
  disk_ = std::make_unique<store::DiskWatch>(config_.data, config_.min_free_bytes);
  consumer_ = std::make_unique<ResultConsumer>(broker, config_.name, engine_.get(),
                                               &engine_executor_, objects_ ? &*objects_ : nullptr);
  service_ = MakeService();
  grpc_util::ServerOptions options;
  UNBRAID_ASSIGN_OR_RETURN(options.listen, base::ParseHostPort(config_.listen));
  options.services = {service_.get()};
  UNBRAID_ASSIGN_OR_RETURN(server_, grpc_util::Server::Start(options));
  server_->SetServing(true);
  telemetry::Probes probes;
  probes.live = [] { return absl::OkStatus(); };
  probes.ready = [this] { return Ready(); };
  UNBRAID_ASSIGN_OR_RETURN(http_,
                           telemetry::HttpServer::Start(config_.common.http, probes, &metrics_));
  beat_ = std::thread([this] { Beat(); });
  telemetry::Info("assembler is up", {{"grpc", server_->address().ToString()}});
  return config::WriteAddressFile(config_.common.address_file, server_->address().ToString(),
                                  http_ != nullptr ? http_->address().ToString() : "");
}

// On the thread that it is used on.
absl::Status AssemblerServer::CreateEngine() {
  absl::Notification created;
  absl::StatusOr<std::unique_ptr<Engine>> engine = absl::UnknownError("not created");
  engine_executor_.Post([&] {
    Engine::Options options{config_.data,
                            &engine_executor_,
                            &finishing_executor_,
                            &hub_,
                            &feed_,
                            &metrics_,
                            config_.min_free_bytes,
                            config::TimeToLive(config_.separation_retention)};
    options.name = config_.name;
    options.objects = objects_ ? &*objects_ : nullptr;
    engine = Engine::Create(options);
    created.Notify();
  });
  created.WaitForNotification();
  UNBRAID_RETURN_IF_ERROR(engine.status());
  engine_ = *std::move(engine);
  return absl::OkStatus();
}

std::unique_ptr<AssemblerServiceImpl> AssemblerServer::MakeService() {
  AssemblerServiceImpl::Parts parts;
  parts.engine = engine_.get();
  parts.engine_executor = &engine_executor_;
  parts.disk_executor = &disk_executor_;
  parts.hub = &hub_;
  parts.feed = &feed_;
  parts.name = config_.name;
  parts.ready = [this] { return Ready(); };
  parts.separation_retention = config::TimeToLive(config_.separation_retention);
  return std::make_unique<AssemblerServiceImpl>(std::move(parts));
}

AssemblerServer::~AssemblerServer() {
  Drain();
  http_ = nullptr;  // its probes look at the parts below
}

absl::Status AssemblerServer::Ready() const {
  if (draining_.stopped()) return absl::UnavailableError("shutting down");
  UNBRAID_RETURN_IF_ERROR(disk_->state());
  if (consumer_->consuming()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("not consuming results: ", consumer_->state().message));
}

void AssemblerServer::Beat() {
  absl::Time last_beat = base::SteadyNow();
  prometheus::Gauge& watchers =
      metrics_.Gauge("unbraid_assembler_watchers", "Streams that watch or follow a separation");
  while (!draining_.Pause(kTick)) {
    disk_->Look();
    PostTick();
    watchers.Set(static_cast<double>(hub_.watchers()));
    if (base::SteadyNow() - last_beat < kBeat) continue;
    last_beat = base::SteadyNow();
    hub_.Beat();
  }
}

void AssemblerServer::PostTick() {
  // Never two at a time: a busy engine is not helped by a heap of them.
  if (tick_posted_.exchange(true)) return;
  engine_executor_.Post([this] {
    tick_posted_ = false;
    engine_->Tick(base::SteadyNow(), absl::Now());
  });
}

void AssemblerServer::Drain() {
  draining_.Stop();
  if (server_ != nullptr) server_->SetServing(false);
  hub_.CloseAll();
  feed_.CloseAll();
  if (beat_.joinable()) beat_.join();
  if (server_ != nullptr) server_->Shutdown(config_.grace);
  if (consumer_ != nullptr) consumer_->Stop();
  if (engine_ != nullptr) {
    engine_executor_.Post([this] { engine_->AbandonFinishing(); });
  }
  // The engine's thread outlives the finishing, which posts to it.
  finishing_executor_.Stop();
  disk_executor_.Stop();
  engine_executor_.Stop();
}

}  // namespace unbraid::assembler
