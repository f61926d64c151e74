#include "services/common/telemetry/metrics.h"

#include <catch2/catch.hpp>

namespace unbraid::telemetry {
namespace {

using Catch::Contains;

TEST_CASE("asking twice for the same name and labels gives the same figure") {
  Metrics metrics;
  auto& counter = metrics.Counter("unbraid_test_things_total", "Things", {{"kind", "a"}});
  CHECK(&counter == &metrics.Counter("unbraid_test_things_total", "Things", {{"kind", "a"}}));
  CHECK(&counter != &metrics.Counter("unbraid_test_things_total", "Things", {{"kind", "b"}}));
}

TEST_CASE("renders every figure with help and labels") {
  Metrics metrics;
  metrics.Counter("unbraid_test_things_total", "Things", {{"kind", "a"}}).Increment(3);
  metrics.Gauge("unbraid_test_level", "Level").Set(1.5);
  metrics.Histogram("unbraid_test_seconds", "Time", {0.1, 1}).Observe(0.5);
  const std::string text = metrics.Render();
  CHECK_THAT(text, Contains("# HELP unbraid_test_things_total Things"));
  CHECK_THAT(text, Contains("unbraid_test_things_total{kind=\"a\"} 3"));
  CHECK_THAT(text, Contains("unbraid_test_level 1.5"));
  CHECK_THAT(text, Contains("unbraid_test_seconds_bucket{le=\"0.1\"} 0"));
  CHECK_THAT(text, Contains("unbraid_test_seconds_bucket{le=\"1\"} 1"));
}

}  // namespace
}  // namespace unbraid::telemetry
