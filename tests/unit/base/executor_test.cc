#include "services/common/base/executor.h"

#include <atomic>
#include <catch2/catch.hpp>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"

namespace unbraid::base {
namespace {

TEST_CASE("starts tasks in the order in which they were posted") {
  std::vector<int> order;
  {
    Executor executor("order", 1);
    for (int i = 0; i < 100; ++i) CHECK(executor.TryPost([&order, i] { order.push_back(i); }));
  }
  REQUIRE(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("runs as many tasks at once as it has threads") {
  Executor executor("a name that is longer than the system takes", 3);
  auto* barrier = new absl::Barrier(4);  // it would hang with fewer threads
  auto wait = [barrier] {
    if (barrier->Block()) delete barrier;
  };
  for (int i = 0; i < 3; ++i) CHECK(executor.TryPost(wait));
  wait();
}

TEST_CASE("takes no new work beyond its capacity, but the next steps of old work") {
  Executor executor("capacity", 1, /*capacity=*/2);
  absl::Notification begun;
  absl::Notification go;
  std::atomic<int> run{0};
  REQUIRE(executor.TryPost([&] {
    begun.Notify();
    go.WaitForNotification();
  }));
  begun.WaitForNotification();
  CHECK(executor.TryPost([&run] { ++run; }));
  CHECK(executor.TryPost([&run] { ++run; }));
  CHECK_FALSE(executor.TryPost([&run] { run += 100; }));
  CHECK(executor.Post([&run] { ++run; }));
  go.Notify();
  executor.Stop();
  CHECK(run == 3);
}

TEST_CASE("stopping runs what was posted, and may be repeated") {
  Executor executor("stop", 2);
  std::atomic<int> run{0};
  for (int i = 0; i < 50; ++i) CHECK(executor.Post([&run] { ++run; }));
  executor.Stop();
  CHECK(run == 50);
  CHECK_FALSE(executor.Post([&run] { ++run; }));
  CHECK_FALSE(executor.TryPost([&run] { ++run; }));
  executor.Stop();
  CHECK(run == 50);
}

}  // namespace
}  // namespace unbraid::base
