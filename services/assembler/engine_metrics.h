#ifndef UNBRAID_SERVICES_ASSEMBLER_ENGINE_METRICS_H_
#define UNBRAID_SERVICES_ASSEMBLER_ENGINE_METRICS_H_

#include "services/common/telemetry/metrics.h"
#include "unbraid/v1/separation.pb.h"

namespace unbraid::assembler {

// The engine's figures. Thread-safe.
struct EngineMetrics {
  explicit EngineMetrics(telemetry::Metrics* metrics);

  // Counts a separation that has ended.
  void Ended(v1::Separation::State state);

  telemetry::Metrics* const all;
  prometheus::Counter& results;
  prometheus::Counter& ignored_results;
  prometheus::Counter& failed_results;
  prometheus::Counter& joined_chunks;
  prometheus::Counter& expired;
  prometheus::Gauge& active;
  prometheus::Histogram& store_seconds;
  prometheus::Histogram& finishing_seconds;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_ENGINE_METRICS_H_
