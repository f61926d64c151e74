#include "services/common/amqp/topology.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace unbraid::amqp {
namespace {

const base::PackageId kDemucs{"demucs",
                              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};

const Queue& Find(const Topology& topology, const std::string& name) {
  const auto found = std::find_if(topology.queues.begin(), topology.queues.end(),
                                  [&](const Queue& queue) { return queue.name == name; });
  REQUIRE(found != topology.queues.end());
  return *found;
}

bool Bound(const Topology& topology, const std::string& exchange, const std::string& key,
           const std::string& queue) {
  return std::any_of(
      topology.bindings.begin(), topology.bindings.end(), [&](const Binding& binding) {
        return binding.exchange == exchange && binding.routing_key == key && binding.queue == queue;
      });
}

TEST_CASE("a package's chunks have a queue, and their dead letters too") {
  const Topology topology = ChunkTopology(kDemucs);
  const Queue& chunks = Find(topology, "unbraid.chunks.demucs.0123456789abcdef");
  CHECK(chunks.delivery_limit == 6);
  CHECK(chunks.dead_letter_exchange == "unbraid.dead");
  CHECK(Bound(topology, "unbraid.chunks", "demucs.0123456789abcdef",
              "unbraid.chunks.demucs.0123456789abcdef"));
  Find(topology, "unbraid.dead.chunks");
  CHECK(Bound(topology, "unbraid.dead", chunks.dead_letter_key, "unbraid.dead.chunks"));
}

TEST_CASE("two builds of a package never share a queue") {
  const base::PackageId upgraded{"demucs", std::string(64, 'f')};
  CHECK(ChunkQueue(upgraded) == "unbraid.chunks.demucs.ffffffffffffffff");
  CHECK_FALSE(
      Bound(ChunkTopology(upgraded), "unbraid.chunks", ChunkKey(upgraded), ChunkQueue(kDemucs)));
}

TEST_CASE("every queue has a delivery limit, because brokers differ where it is missing") {
  for (const Topology& topology : {ChunkTopology({"m", "0"}), ResultTopology("a")}) {
    for (const Queue& queue : topology.queues) CHECK(queue.delivery_limit > 0);
  }
}

TEST_CASE("an assembler's results have a queue of their own") {
  const Topology topology = ResultTopology("assembler-1");
  CHECK(ResultQueue("assembler-1") == "unbraid.results.assembler-1");
  CHECK(Bound(topology, "unbraid.results", "assembler-1", "unbraid.results.assembler-1"));
}

TEST_CASE("cancel notices go to everybody who listens") {
  const Topology topology = ControlTopology();
  REQUIRE(topology.exchanges.size() == 1);
  CHECK(topology.exchanges[0].name == "unbraid.control");
  CHECK(topology.exchanges[0].type == "fanout");
  CHECK(topology.queues.empty());
}

TEST_CASE("merging adds each thing once and tells whether anything was new") {
  Topology topology = ChunkTopology({"one", "0"});
  CHECK(topology.Merge(ChunkTopology({"two", "0"})));
  CHECK(topology.exchanges.size() == 2);
  CHECK(topology.queues.size() == 3);  // the dead letters are shared
  CHECK(topology.bindings.size() == 3);
  CHECK_FALSE(topology.Merge(ChunkTopology({"two", "0"})));
  CHECK(topology.queues.size() == 3);

  Topology bindings_only = ControlTopology();
  Topology more = ControlTopology();
  more.bindings = {{"unbraid.control", "q", ""}};
  CHECK(bindings_only.Merge(more));
}

}  // namespace
}  // namespace unbraid::amqp
