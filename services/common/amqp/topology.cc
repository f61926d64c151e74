#include "services/common/amqp/topology.h"

#include <algorithm>

namespace unbraid::amqp {
namespace {

constexpr char kDeadChunksKey[] = "chunks";

template <typename T, typename Same>
bool AddMissing(const std::vector<T>& from, Same same, std::vector<T>* to) {
  const size_t before = to->size();
  for (const T& item : from) {
    const bool known =
        std::any_of(to->begin(), to->end(), [&](const T& other) { return same(item, other); });
    if (!known) to->push_back(item);
  }
  return to->size() > before;
}

}  // namespace

bool Topology::Merge(const Topology& other) {
  const bool more_exchanges = AddMissing(
      other.exchanges, [](const Exchange& a, const Exchange& b) { return a.name == b.name; },
      &exchanges);
  const bool more_queues = AddMissing(
      other.queues, [](const Queue& a, const Queue& b) { return a.name == b.name; }, &queues);
  const bool more_bindings = AddMissing(
      other.bindings,
      [](const Binding& a, const Binding& b) {
        return a.exchange == b.exchange && a.queue == b.queue && a.routing_key == b.routing_key;
      },
      &bindings);
  return more_exchanges || more_queues || more_bindings;
}

std::string ChunkKey(const base::PackageId& package) { return package.ToString(); }

std::string ChunkQueue(const base::PackageId& package) {
  return std::string(kChunksExchange) + "." + ChunkKey(package);
}

std::string ResultQueue(const std::string& assembler) {
  return std::string(kResultsExchange) + "." + assembler;
}

Topology ChunkTopology(const base::PackageId& package) {
  Topology topology;
  topology.exchanges = {{kChunksExchange, "direct"}, {kDeadExchange, "direct"}};
  topology.queues = {{ChunkQueue(package), kChunkDeliveryLimit, kDeadExchange, kDeadChunksKey},
                     {kDeadChunksQueue, kDeadDeliveryLimit, "", ""}};
  topology.bindings = {{kChunksExchange, ChunkQueue(package), ChunkKey(package)},
                       {kDeadExchange, kDeadChunksQueue, kDeadChunksKey}};
  return topology;
}

Topology ResultTopology(const std::string& assembler) {
  Topology topology;
  topology.exchanges = {{kResultsExchange, "direct"}};
  topology.queues = {{ResultQueue(assembler), kResultDeliveryLimit, "", ""}};
  topology.bindings = {{kResultsExchange, ResultQueue(assembler), assembler}};
  return topology;
}

Topology ControlTopology() {
  Topology topology;
  topology.exchanges = {{kControlExchange, "fanout"}};
  return topology;
}

}  // namespace unbraid::amqp
