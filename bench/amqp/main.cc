// unbraid-bench-amqp: how fast the project's AMQP wrapper publishes to a quorum queue with
// confirms, and consumes from it, against the plain use of its library; in turn, on a broker of its
// own. One line of JSON, in MB/s (10^6 bytes).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/amqp/plain.h"
#include "services/common/amqp/consumer.h"
#include "services/common/amqp/publisher.h"
#include "services/common/amqp/topology.h"
#include "services/common/base/status.h"
#include "tests/support/broker.h"

namespace unbraid::bench {
namespace {

// What Publisher keeps in its own outgoing queue.
constexpr size_t kMostOpenMessages = 64;
constexpr size_t kMostOpenBytes = 64U << 20U;
constexpr int kPrefetch = 8;
constexpr char kExchange[] = "bench";
constexpr absl::Duration kMostWait = absl::Minutes(2);

struct Options {
  int rounds = 5;
  int messages = 100;
  int bytes = 2100000;

  double megabytes() const { return 1e-6 * messages * bytes; }
};

amqp::Topology TopologyOf(const std::string& queue) {
  amqp::Topology topology;
  topology.exchanges = {{kExchange, "direct"}};
  topology.queues = {{queue, amqp::kResultDeliveryLimit, "", ""}};
  topology.bindings = {{kExchange, queue, queue}};
  return topology;
}

std::vector<amqp::Message> MessagesTo(const std::string& queue, const Options& options) {
  std::vector<amqp::Message> messages;
  for (int i = 0; i < options.messages; ++i) {
    std::string body(static_cast<size_t>(options.bytes), static_cast<char>('a' + i % 26));
    messages.push_back({kExchange, queue, std::move(body), absl::StrCat(i)});
  }
  return messages;
}

template <typename Work>
double Seconds(Work work) {
  const absl::Time begin = absl::Now();
  work();
  return absl::ToDoubleSeconds(absl::Now() - begin);
}

absl::StatusOr<double> PublishOurs(const amqp::ConnectionOptions& broker, const std::string& queue,
                                   const Options& options) {
  const auto publisher = amqp::Publisher::Create(broker, TopologyOf(queue));
  // Connected, and the queue is there; consumed as the first message of all.
  UNBRAID_RETURN_IF_ERROR(
      publisher->PublishAndWait({kExchange, queue, std::string("first"), "first"}, kMostWait));
  std::vector<amqp::Message> messages = MessagesTo(queue, options);
  absl::Status worst;
  const double seconds = Seconds([&] {
    for (amqp::Message& message : messages) {
      publisher->Publish(std::move(message), [&](const absl::Status& status) {
        if (!status.ok()) worst = status;
      });
    }
    const absl::Status flushed = publisher->Flush(kMostWait);
    if (!flushed.ok()) worst = flushed;
  });
  UNBRAID_RETURN_IF_ERROR(worst);
  return options.megabytes() / seconds;
}

absl::StatusOr<double> PublishPlain(const amqp::ConnectionOptions& broker, const std::string& queue,
                                    const Options& options) {
  // Nobody but the wrapper declares, so that both have the same queue.
  const auto declarer = amqp::Publisher::Create(broker, TopologyOf(queue));
  UNBRAID_RETURN_IF_ERROR(
      declarer->PublishAndWait({kExchange, queue, std::string("first"), "first"}, kMostWait));
  PlainConnection connection(broker);
  const std::vector<amqp::Message> messages = MessagesTo(queue, options);
  const size_t window =
      std::min(kMostOpenMessages, kMostOpenBytes / static_cast<size_t>(options.bytes) + 1);
  return options.megabytes() / Seconds([&] { connection.Publish(messages, window); });
}

// From the connection's beginning to the last message, all of them and the first one.
absl::StatusOr<double> ConsumeOurs(const amqp::ConnectionOptions& broker, const std::string& queue,
                                   const Options& options) {
  std::unique_ptr<amqp::Consumer> consumer;
  absl::Notification made;
  size_t bytes = 0;
  absl::BlockingCounter missing(options.messages + 1);
  const double seconds = Seconds([&] {
    consumer = amqp::Consumer::Create(broker, TopologyOf(queue), {queue, "", kPrefetch},
                                      [&](const amqp::Delivery& delivery) {
                                        made.WaitForNotification();
                                        bytes += delivery.body.size();
                                        consumer->Ack(delivery.tag);
                                        missing.DecrementCount();
                                      });
    made.Notify();
    missing.Wait();
  });
  consumer->Stop();
  const auto expected = static_cast<size_t>(options.messages) * static_cast<size_t>(options.bytes);
  if (bytes != expected + 5) return absl::InternalError("bytes are missing");
  return options.megabytes() / seconds;
}

absl::StatusOr<double> ConsumePlain(const amqp::ConnectionOptions& broker, const std::string& queue,
                                    const Options& options) {
  size_t bytes = 0;
  const double seconds = Seconds([&] {
    PlainConnection connection(broker);
    bytes = connection.Consume(queue, kPrefetch, static_cast<size_t>(options.messages) + 1);
  });
  const auto expected = static_cast<size_t>(options.messages) * static_cast<size_t>(options.bytes);
  if (bytes != expected + 5) return absl::InternalError("bytes are missing");
  return options.megabytes() / seconds;
}

// Publishes and consumes one queue's worth, ours or plain.
absl::Status Turn(bool ours, const amqp::ConnectionOptions& broker, const Options& options,
                  nlohmann::json* figures) {
  const std::string queue = ours ? "ours" : "plain";
  UNBRAID_ASSIGN_OR_RETURN(const double published, ours ? PublishOurs(broker, queue, options)
                                                        : PublishPlain(broker, queue, options));
  UNBRAID_ASSIGN_OR_RETURN(const double consumed, ours ? ConsumeOurs(broker, queue, options)
                                                       : ConsumePlain(broker, queue, options));
  (*figures)["publish"][queue].push_back(published);
  (*figures)["consume"][queue].push_back(consumed);
  PlainConnection(broker).DeleteQueue(queue);
  return absl::OkStatus();
}

absl::StatusOr<nlohmann::json> Run(const Options& options) {
  UNBRAID_ASSIGN_OR_RETURN(const auto broker, test_support::Broker::Start());
  amqp::ConnectionOptions connection;
  connection.host = broker->host();
  connection.port = broker->port();
  connection.user = broker->user();
  connection.password = broker->password();
  nlohmann::json warm_up;
  nlohmann::json figures;
  for (const bool ours : {true, false}) {
    UNBRAID_RETURN_IF_ERROR(Turn(ours, connection, options, &warm_up));
  }
  for (int round = 0; round < options.rounds; ++round) {
    const bool first = round % 2 == 0;
    for (const bool ours : {first, !first}) {
      UNBRAID_RETURN_IF_ERROR(Turn(ours, connection, options, &figures));
    }
  }
  return figures;
}

}  // namespace
}  // namespace unbraid::bench

int main(int argc, char** argv) {
  unbraid::bench::Options options;
  CLI::App app("Times the AMQP wrapper against its library.", "unbraid-bench-amqp");
  app.add_option("--rounds", options.rounds, "How often each is measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--messages", options.messages, "Messages of a round")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--bytes", options.bytes, "Size of a message")
      ->check(CLI::Range(1, 16 << 20))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto figures = unbraid::bench::Run(options);
  if (!figures.ok()) {
    std::cerr << "error: " << figures.status().message() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << figures->dump() << "\n";
  return EXIT_SUCCESS;
}
