#ifndef UNBRAID_TESTS_INTEGRATION_WORKER_STEPS_H_
#define UNBRAID_TESTS_INTEGRATION_WORKER_STEPS_H_

#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/component/worker/packages.h"
#include "tests/integration/worker/stand.h"
#include "tests/integration/worker/worker_process.h"

// Steps of the tests, which fail them where they cannot be done.
namespace unbraid::worker {

// First samples of the model "moody": rounds of work, so that a chunk takes a moment, a good
// while, or longer than anybody waits.
inline constexpr float kAtOnce = 0.25F;
inline constexpr float kAWhile = 8'000.0F;
inline constexpr float kForEver = 1e9F;

inline constexpr absl::Duration kExitPatience = absl::Seconds(60);

inline std::unique_ptr<WorkerProcess> StartWorker(const Stand& stand,
                                                  std::vector<std::string> flags,
                                                  const std::string& models) {
  flags.insert(flags.end(), {"--models", models, "--model", stand.package().name});
  auto worker = WorkerProcess::Start(const_cast<Stand&>(stand).broker(), flags);
  INFO(worker.status());
  REQUIRE(worker.ok());
  const absl::Status ready = (*worker)->AwaitReady();
  INFO(ready);
  REQUIRE(ready.ok());
  return *std::move(worker);
}

inline std::unique_ptr<WorkerProcess> StartMoody(const Stand& stand,
                                                 std::vector<std::string> flags) {
  return StartWorker(stand, std::move(flags), TestModelsFolder());
}

inline void CheckMetric(WorkerProcess* worker, const std::string& line) {
  const absl::Status status = worker->AwaitMetric(line);
  INFO(status);
  CHECK(status.ok());
}

// Exit status after SIGTERM.
inline int End(WorkerProcess* worker) {
  REQUIRE(worker->process().Signal(SIGTERM).ok());
  const absl::StatusOr<int> exit = worker->process().Wait(kExitPatience);
  INFO(exit.status());
  REQUIRE(exit.ok());
  return *exit;
}

inline void CheckStems(const Stand& stand, int64_t chunks, const std::vector<float>& fractions) {
  CHECK(stand.contradictions() == 0);
  const Stand::Results results = stand.results();
  CHECK(results.size() == static_cast<size_t>(chunks) * fractions.size());
  for (const auto& [key, result] : results) {
    REQUIRE(key.second >= 0);
    const std::string& bytes = result.stem().samples();
    std::vector<float> samples(bytes.size() / sizeof(float));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(samples.data()));
    CHECK(samples.size() == static_cast<size_t>(result.stem().channels()) *
                                static_cast<size_t>(stand.package().window_frames));
    CHECK(samples.back() == 0.5F * fractions[static_cast<size_t>(key.second)]);
  }
}

inline const std::vector<float> kMoodyFractions = {0.25F, 0.75F};

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_INTEGRATION_WORKER_STEPS_H_
