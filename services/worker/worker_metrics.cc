#include "services/worker/worker_metrics.h"

#include <vector>

namespace unbraid::worker {
namespace {

// From a chunk of a toy model to one of a large model on a slow core.
const std::vector<double>& SecondsBounds() {
  static const std::vector<double> bounds = {0.01, 0.03, 0.1, 0.3, 1, 2, 3, 5, 8, 15, 30, 60, 180};
  return bounds;
}

}  // namespace

WorkerMetrics::WorkerMetrics(telemetry::Metrics* metrics)
    : metrics_(metrics),
      chunk_seconds_(&metrics->Histogram("unbraid_worker_chunk_seconds",
                                         "Time from taking a chunk to handing its results over",
                                         SecondsBounds())),
      audio_seconds_(
          &metrics->Counter("unbraid_worker_audio_seconds_total",
                            "Audio that was separated, overlaps of chunks included, in seconds")),
      received_bytes_(&metrics->Counter("unbraid_worker_received_bytes_total",
                                        "Bytes of chunk tasks that were taken")),
      sent_bytes_(&metrics->Counter("unbraid_worker_sent_bytes_total",
                                    "Bytes of results that were handed over")),
      busy_(&metrics->Gauge("unbraid_worker_busy", "1 while a chunk is computed, otherwise 0")) {}

void WorkerMetrics::CountChunk(const std::string& result) {
  metrics_
      ->Counter("unbraid_worker_chunks_total", "Chunks, by what became of them",
                {{"result", result}})
      .Increment();
}

}  // namespace unbraid::worker
