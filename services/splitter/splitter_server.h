#ifndef UNBRAID_SERVICES_SPLITTER_SPLITTER_SERVER_H_
#define UNBRAID_SERVICES_SPLITTER_SPLITTER_SERVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/common/telemetry/http_server.h"
#include "services/common/telemetry/metrics.h"
#include "services/splitter/amqp_broker.h"
#include "services/splitter/config.h"
#include "services/splitter/dead_letters.h"
#include "services/splitter/splitter.h"

namespace unbraid::splitter {

// The whole process: the splitter, its broker, the reader of dead letters, and the probes.
class SplitterServer {
 public:
  static absl::StatusOr<std::unique_ptr<SplitterServer>> Create(const Config& config);
  // Drains.
  ~SplitterServer();

  // Stops accepting, finishes what is in flight, flushes confirms, closes; within about twice the
  // configured grace. May be called twice.
  void Drain();

 private:
  explicit SplitterServer(const Config& config) : config_(config) {}
  absl::Status Start();
  absl::Status Ready() const;

  const Config config_;
  telemetry::Metrics metrics_;
  // Destroyed after the splitter, which uses it; stopped before, so that it calls back no more.
  std::unique_ptr<AmqpBroker> broker_;
  std::unique_ptr<Splitter> splitter_;
  std::unique_ptr<DeadLetters> dead_letters_;
  std::unique_ptr<telemetry::HttpServer> http_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SPLITTER_SERVER_H_
