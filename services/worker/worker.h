#ifndef UNBRAID_SERVICES_WORKER_WORKER_H_
#define UNBRAID_SERVICES_WORKER_WORKER_H_

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/common/amqp/options.h"
#include "services/common/model/catalogue.h"
#include "services/common/store/object_folder.h"
#include "services/common/telemetry/http_server.h"
#include "services/common/telemetry/metrics.h"
#include "services/worker/amqp_link.h"
#include "services/worker/cancel_book.h"
#include "services/worker/chunk_loop.h"
#include "services/worker/chunk_queue.h"
#include "services/worker/config.h"
#include "services/worker/executor.h"
#include "services/worker/watchdog.h"
#include "services/worker/worker_metrics.h"

namespace unbraid::worker {

// Where models run.
struct Device {
  std::string title;     // as its driver calls it
  ExecutorFactory load;  // called on the inference thread
};

// A whole worker. Threads: one computes; each connection to the broker has one of its own, so that
// heartbeats go on meanwhile; one watches over the model; two answer HTTP. State: none.
class Worker {
 public:
  // Reads the catalogue, listens for probes, and begins to load the models; chunks are taken when
  // all of them can be used. INVALID_ARGUMENT or NOT_FOUND for a wrong catalogue, model or address.
  // A model that cannot be loaded, now or again later, and a device that is lost or has no memory,
  // end the process by way of RequestShutdown, with exit status 1.
  static absl::StatusOr<std::unique_ptr<Worker>> Start(const Config& config, const Device& device);
  // Stops.
  ~Worker();

  // In this order: take no new chunks and give back those not begun; finish those in hand; wait
  // for the confirms of their results; close. After the grace period the chunks in hand are given
  // back too, and since nothing can interrupt a model, the process ends here and now. Returns the
  // exit status; may be called twice.
  int Stop();

 private:
  enum class Lifecycle { kLoading, kServing, kFailed, kStopping };

  Worker(const Config& config, const amqp::ConnectionOptions& connection,
         model::Catalogue catalogue, std::vector<const model::Package*> packages,
         std::optional<store::ObjectFolder> objects);

  absl::Status Listen();
  void RunInference(const ExecutorFactory& factory);
  absl::Status Serve();
  bool AwaitInferenceEnd(absl::Duration timeout);
  absl::Status Live() const;
  absl::Status Ready() const;

  const Config config_;
  const model::Catalogue catalogue_;
  const std::vector<const model::Package*> packages_;

  telemetry::Metrics metrics_;
  WorkerMetrics worker_metrics_;
  const std::optional<store::ObjectFolder> objects_;  // none: samples come in messages alone
  ChunkQueue queue_;
  CancelBook cancelled_;
  Watchdog watchdog_;
  AmqpLink link_;
  ChunkLoop loop_;

  mutable absl::Mutex mutex_;
  Lifecycle lifecycle_ ABSL_GUARDED_BY(mutex_) = Lifecycle::kLoading;
  bool inference_ended_ ABSL_GUARDED_BY(mutex_) = false;
  int exit_status_ ABSL_GUARDED_BY(mutex_) = 0;

  std::thread inference_;
  std::unique_ptr<telemetry::HttpServer> http_;  // null when none is wanted
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_WORKER_H_
