#include "services/worker/worker_metrics.h"

#include <map>
#include <vector>

namespace unbraid::worker {
namespace {

// From a chunk of a toy model to one of a large model on a slow core.
const std::vector<double>& SecondsBounds() {
  static const std::vector<double> bounds = {0.01, 0.03, 0.1, 0.3, 1, 2, 3, 5, 8, 15, 30, 60, 180};
  return bounds;
}

const std::vector<double>& BatchBounds() {
  static const std::vector<double> bounds = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  return bounds;
}

std::map<std::string, std::string> LabelsOf(const base::PackageId& package) {
  return {{"model", package.name}, {"package", package.short_hash()}};
}

}  // namespace

WorkerMetrics::WorkerMetrics(telemetry::Metrics* metrics)
    : metrics_(metrics),
      chunk_seconds_(&metrics->Histogram(
          "unbraid_worker_chunk_seconds",
          "Time that a chunk took; a batch's time is shared by its chunks", SecondsBounds())),
      audio_seconds_(
          &metrics->Counter("unbraid_worker_audio_seconds_total",
                            "Audio that was separated, overlaps of chunks included, in seconds")),
      received_bytes_(&metrics->Counter("unbraid_worker_received_bytes_total",
                                        "Bytes of chunk tasks that were taken")),
      sent_bytes_(&metrics->Counter("unbraid_worker_sent_bytes_total",
                                    "Bytes of results that were handed over")),
      batch_chunks_(&metrics->Histogram("unbraid_worker_batch_chunks",
                                        "Chunks that were computed together", BatchBounds())),
      out_of_memory_(
          &metrics->Counter("unbraid_worker_out_of_memory_total",
                            "How often a batch did not fit into the memory of the device")),
      busy_(&metrics->Gauge("unbraid_worker_busy", "1 while a chunk is computed, otherwise 0")) {}

void WorkerMetrics::CountChunk(const std::string& result) {
  metrics_
      ->Counter("unbraid_worker_chunks_total", "Chunks, by what became of them",
                {{"result", result}})
      .Increment();
}

void WorkerMetrics::OnModelLoaded(const base::PackageId& package, const Footprint& footprint) {
  metrics_
      ->Counter("unbraid_worker_model_loads_total", "How often a package was loaded",
                LabelsOf(package))
      .Increment();
  metrics_
      ->Gauge("unbraid_worker_model_memory_bytes",
              "Memory that a loaded package keeps, and takes while it computes", LabelsOf(package))
      .Set(static_cast<double>(footprint.total_bytes()));
  ModelLoaded(package).Set(1);
}

void WorkerMetrics::OnModelUnloaded(const base::PackageId& package) { ModelLoaded(package).Set(0); }

void WorkerMetrics::SetDevice(const std::string& name, const std::string& title) {
  metrics_
      ->Gauge("unbraid_worker_device", "1 for the device that models run on",
              {{"device", name}, {"title", title}})
      .Set(1);
}

prometheus::Gauge& WorkerMetrics::ModelLoaded(const base::PackageId& package) {
  return metrics_->Gauge("unbraid_worker_model_loaded", "1 while a package is in memory",
                         LabelsOf(package));
}

}  // namespace unbraid::worker
