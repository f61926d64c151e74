#ifndef UNBRAID_SERVICES_WORKER_WORKER_METRICS_H_
#define UNBRAID_SERVICES_WORKER_WORKER_METRICS_H_

#include <string>

#include "services/common/base/package_id.h"
#include "services/common/telemetry/metrics.h"
#include "services/worker/separator.h"

namespace unbraid::worker {

// The worker's figures. Thread-safe.
class WorkerMetrics {
 public:
  // `metrics` is not owned and must outlive this.
  explicit WorkerMetrics(telemetry::Metrics* metrics);

  // What became of a chunk: "computed", "cancelled", "returned" (given back to the broker),
  // "rejected" (not a task at all), or the reason of a failure.
  void CountChunk(const std::string& result);

  // A package came into memory, or left it.
  void OnModelLoaded(const base::PackageId& package, const Footprint& footprint);
  void OnModelUnloaded(const base::PackageId& package);

  // The device that models run on: `name` as in --device, `title` as its driver calls it.
  void SetDevice(const std::string& name, const std::string& title);

  prometheus::Histogram& chunk_seconds() { return *chunk_seconds_; }
  prometheus::Counter& audio_seconds() { return *audio_seconds_; }
  prometheus::Counter& received_bytes() { return *received_bytes_; }
  prometheus::Counter& sent_bytes() { return *sent_bytes_; }
  prometheus::Histogram& batch_chunks() { return *batch_chunks_; }
  prometheus::Counter& out_of_memory() { return *out_of_memory_; }
  prometheus::Gauge& busy() { return *busy_; }

 private:
  prometheus::Gauge& ModelLoaded(const base::PackageId& package);

  telemetry::Metrics* const metrics_;
  prometheus::Histogram* const chunk_seconds_;
  prometheus::Counter* const audio_seconds_;
  prometheus::Counter* const received_bytes_;
  prometheus::Counter* const sent_bytes_;
  prometheus::Histogram* const batch_chunks_;
  prometheus::Counter* const out_of_memory_;
  prometheus::Gauge* const busy_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_WORKER_METRICS_H_
