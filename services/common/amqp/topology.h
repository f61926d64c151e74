#ifndef UNBRAID_SERVICES_COMMON_AMQP_TOPOLOGY_H_
#define UNBRAID_SERVICES_COMMON_AMQP_TOPOLOGY_H_

#include <string>
#include <vector>

#include "services/common/base/package_id.h"

namespace unbraid::amqp {

struct Exchange {
  std::string name;
  std::string type;  // "direct" or "fanout"; always durable
};

// A durable quorum queue.
struct Queue {
  std::string name;
  // After so many failed deliveries a message goes to `dead_letter_exchange` with
  // `dead_letter_key`, or is dropped where that is empty. 0: whatever the broker thinks right.
  int delivery_limit = 0;
  std::string dead_letter_exchange;
  std::string dead_letter_key;
};

struct Binding {
  std::string exchange;
  std::string queue;
  std::string routing_key;
};

// What must exist at the broker. Declaring it is idempotent and is done at every connect.
struct Topology {
  std::vector<Exchange> exchanges;
  std::vector<Queue> queues;
  std::vector<Binding> bindings;

  // Adds what the other one has and this one lacks; whether that was anything.
  bool Merge(const Topology& other);
};

// The project's own names and topology.
inline constexpr char kChunksExchange[] = "unbraid.chunks";
inline constexpr char kResultsExchange[] = "unbraid.results";
inline constexpr char kDeadExchange[] = "unbraid.dead";
inline constexpr char kControlExchange[] = "unbraid.control";
inline constexpr char kDeadChunksQueue[] = "unbraid.dead.chunks";

// A chunk that was given out so often by workers that died is set aside. Higher than it seems to
// need, because giving work back counts as a failed delivery up to RabbitMQ 4.2.
inline constexpr int kChunkDeliveryLimit = 6;
// Results wait for an assembler that may be restarted many times; only the redelivery of a message
// that kills it again and again must end some day.
inline constexpr int kResultDeliveryLimit = 100;

// Dead letters are read by the splitter alone. Without a number of ours the broker would choose
// one: none in RabbitMQ 3.10, 20 from 4.0.
inline constexpr int kDeadDeliveryLimit = 1000;

// `unbraid.chunks.<name>.<first 16 digits of the hash>`: each build of a package has a queue of its
// own, and no worker ever gets chunks that were cut for another one. It stays when nobody serves
// the build any more, since the broker would throw away a queue with chunks as well as an idle one.
std::string ChunkQueue(const base::PackageId& package);
// The routing key on `unbraid.chunks`.
std::string ChunkKey(const base::PackageId& package);
std::string ResultQueue(const std::string& assembler);

// The queue of a package, and where its dead letters go.
Topology ChunkTopology(const base::PackageId& package);
// The queue of an assembler.
Topology ResultTopology(const std::string& assembler);
// The exchange of cancel notices; listeners bring their own exclusive queue.
Topology ControlTopology();

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_TOPOLOGY_H_
