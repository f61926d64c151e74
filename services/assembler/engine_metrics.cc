#include "services/assembler/engine_metrics.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace unbraid::assembler {

EngineMetrics::EngineMetrics(telemetry::Metrics* metrics)
    : all(metrics),
      results(metrics->Counter("unbraid_assembler_results_total", "Results stored")),
      ignored_results(metrics->Counter("unbraid_assembler_ignored_results_total",
                                       "Results that were duplicates or came too late")),
      failed_results(metrics->Counter("unbraid_assembler_failed_results_total",
                                      "Failures of chunks that workers reported")),
      joined_chunks(metrics->Counter("unbraid_assembler_joined_chunks_total", "Chunks joined")),
      expired(metrics->Counter("unbraid_assembler_expired_separations_total",
                               "Separations that were deleted because nobody used them")),
      active(metrics->Gauge("unbraid_assembler_active_separations",
                            "Separations that have not ended")),
      store_seconds(metrics->Histogram("unbraid_assembler_store_seconds",
                                       "Time to join or store what has come, safely",
                                       {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})),
      finishing_seconds(
          metrics->Histogram("unbraid_assembler_finishing_seconds",
                             "Time to write what is left of the results when all is joined",
                             {0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000})) {}

void EngineMetrics::Ended(v1::Separation::State state) {
  const std::string name =
      absl::AsciiStrToLower(absl::StripPrefix(v1::Separation::State_Name(state), "STATE_"));
  all->Counter("unbraid_assembler_ended_separations_total", "Separations that have ended",
               {{"state", name}})
      .Increment();
}

}  // namespace unbraid::assembler
