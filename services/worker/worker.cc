#include "services/worker/worker.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/amqp/connect.h"
#include "services/common/base/shutdown.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"

namespace unbraid::worker {
namespace {

constexpr size_t kRememberedSeparations = 4096;
constexpr int kHungExitStatus = 70;
constexpr int64_t kMegabyte = 1'000'000;

absl::StatusOr<std::vector<const model::Package*>> Choose(const Config& config,
                                                          const model::Catalogue& catalogue) {
  std::vector<const model::Package*> chosen;
  for (const std::string& name : config.model_names) {
    UNBRAID_ASSIGN_OR_RETURN(const model::Package* package, catalogue.Find(name));
    if (std::find(chosen.begin(), chosen.end(), package) == chosen.end()) {
      chosen.push_back(package);
    }
  }
  if (chosen.empty()) chosen.push_back(&catalogue.default_package());
  return chosen;
}

// As many batches as the device takes are on it, while one more is there already. Of several models
// that are all in memory the others' chunks are that next one; where a model may have to be loaded
// for them, the next one of its own must be here when one is done with, or the worker could not
// stay with it.
int PrefetchFor(const Config& config, size_t packages, int slots) {
  return config.batch * (packages == 1 || config.model_memory_mb > 0 ? slots + 1 : slots);
}

ChunkLoop::Options LoopOptions(const Config& config) {
  ChunkLoop::Options options;
  options.worker = config.name;
  options.model_memory_bytes = config.model_memory_mb * kMegabyte;
  options.model_turn = config.model_turn;
  options.batch = config.batch;
  options.batch_wait = config.batch_wait;
  return options;
}

void LeaveHungProcess() {
  telemetry::Error(
      "the model has hung; ending the process, so that the broker gives its chunk to "
      "another worker");
  std::_Exit(kHungExitStatus);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Start(const Config& config, const Device& device) {
  UNBRAID_ASSIGN_OR_RETURN(
      const amqp::ConnectionOptions connection,
      amqp::ToConnectionOptions(config.broker, absl::StrCat("unbraid-worker ", config.name)));
  UNBRAID_ASSIGN_OR_RETURN(model::Catalogue catalogue, model::Catalogue::Load(config.models));
  // The packages are named before the catalogue moves to its place: moving a vector moves no
  // element.
  UNBRAID_ASSIGN_OR_RETURN(auto packages, Choose(config, catalogue));
  UNBRAID_ASSIGN_OR_RETURN(auto objects, store::OpenObjectFolder(config.object_folder));
  std::unique_ptr<Worker> worker(new Worker(config, connection, std::move(catalogue),
                                            std::move(packages), std::move(objects)));
  UNBRAID_RETURN_IF_ERROR(worker->Listen());
  telemetry::Info("worker starts", {{"version", UNBRAID_VERSION},
                                    {"device", config.device},
                                    {"device_title", device.title},
                                    {"precision", config.precision},
                                    {"batch", config.batch},
                                    {"threads", config.threads},
                                    {"amqp", config.broker.address}});
  worker->worker_metrics_.SetDevice(config.device, device.title);
  worker->inference_ =
      std::thread([self = worker.get(), make = device.load] { self->RunInference(make); });
  return worker;
}

Worker::Worker(const Config& config, const amqp::ConnectionOptions& connection,
               model::Catalogue catalogue, std::vector<const model::Package*> packages,
               std::optional<store::ObjectFolder> objects)
    : config_(config),
      catalogue_(std::move(catalogue)),
      packages_(std::move(packages)),
      worker_metrics_(&metrics_),
      objects_(std::move(objects)),
      cancelled_(kRememberedSeparations),
      watchdog_(config.chunk_deadline, LeaveHungProcess),
      link_(connection, &queue_, &cancelled_),
      loop_(LoopOptions(config), packages_,
            {&link_, &queue_, &cancelled_, &watchdog_, &worker_metrics_,
             objects_ ? &*objects_ : nullptr}) {}

Worker::~Worker() { Stop(); }

absl::Status Worker::Listen() {
  UNBRAID_ASSIGN_OR_RETURN(
      http_,
      telemetry::HttpServer::Start(
          config_.common.http, {[this] { return Live(); }, [this] { return Ready(); }}, &metrics_));
  return config::WriteAddressFile(config_.common.address_file, "",
                                  http_ ? http_->address().ToString() : "");
}

void Worker::RunInference(const ExecutorFactory& factory) {
  absl::Status status = loop_.Load(factory);
  if (!status.ok()) telemetry::Error("cannot make the model ready", {{"error", status}});
  if (status.ok()) {
    status = Serve();
    if (!status.ok()) telemetry::Error("cannot go on computing", {{"error", status}});
  }
  {
    absl::MutexLock lock(&mutex_);
    if (!status.ok()) {
      if (lifecycle_ != Lifecycle::kStopping) lifecycle_ = Lifecycle::kFailed;
      exit_status_ = EXIT_FAILURE;
    }
    inference_ended_ = true;
  }
  if (!status.ok()) base::RequestShutdown();
}

absl::Status Worker::Serve() {
  std::vector<base::PackageId> packages;
  for (const model::Package* package : packages_) packages.push_back(package->id());
  {
    absl::MutexLock lock(&mutex_);
    if (lifecycle_ == Lifecycle::kLoading) lifecycle_ = Lifecycle::kServing;
  }
  link_.Consume(packages, PrefetchFor(config_, packages.size(), loop_.slots()));
  return loop_.Run();
}

bool Worker::AwaitInferenceEnd(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&inference_ended_), timeout);
}

absl::Status Worker::Live() const { return watchdog_.Check(); }

absl::Status Worker::Ready() const {
  {
    absl::MutexLock lock(&mutex_);
    switch (lifecycle_) {
      case Lifecycle::kLoading:
        return absl::UnavailableError("the model is being loaded");
      case Lifecycle::kFailed:
        return absl::UnavailableError("the model could not be loaded");
      case Lifecycle::kStopping:
        return absl::UnavailableError("the worker is ending");
      case Lifecycle::kServing:
        break;
    }
  }
  UNBRAID_RETURN_IF_ERROR(loop_.Ready());
  return link_.Ready();
}

int Worker::Stop() {
  const absl::Time end = base::SteadyNow() + config_.grace;
  bool loading = false;
  {
    absl::MutexLock lock(&mutex_);
    if (lifecycle_ == Lifecycle::kStopping) return exit_status_;
    loading = lifecycle_ == Lifecycle::kLoading;
    lifecycle_ = Lifecycle::kStopping;
  }
  telemetry::Info("worker ends");
  queue_.Close();
  link_.StopConsuming();
  bool ended = true;
  if (inference_.joinable()) {
    // A model that is still being loaded owes nobody anything.
    ended = AwaitInferenceEnd(loading ? absl::ZeroDuration() : end - base::SteadyNow());
  }
  loop_.AwaitSettled(std::max(end - base::SteadyNow(), absl::ZeroDuration()));
  if (!ended) loop_.GiveBackCurrent();
  link_.Stop();
  if (!ended) std::_Exit(EXIT_SUCCESS);
  if (inference_.joinable()) inference_.join();
  absl::MutexLock lock(&mutex_);
  return exit_status_;
}

}  // namespace unbraid::worker
