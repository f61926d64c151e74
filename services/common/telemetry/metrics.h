#ifndef UNBRAID_SERVICES_COMMON_TELEMETRY_METRICS_H_
#define UNBRAID_SERVICES_COMMON_TELEMETRY_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <vector>

namespace unbraid::telemetry {

using Labels = prometheus::Labels;

// The figures of one process. Names follow Prometheus: `unbraid_<part>_<what>_<unit>`, counters end
// in `_total`. What it returns lives as long as the object; asking twice for the same name and
// labels gives the same figure. Thread-safe.
class Metrics {
 public:
  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   const std::vector<double>& bounds, const Labels& labels = {});

  // The text that Prometheus scrapes.
  std::string Render() const;

 private:
  prometheus::Registry registry_;
};

}  // namespace unbraid::telemetry

#endif  // UNBRAID_SERVICES_COMMON_TELEMETRY_METRICS_H_
