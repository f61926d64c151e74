#include "services/common/base/bounded_queue.h"

#include <catch2/catch.hpp>
#include <memory>
#include <thread>

namespace unbraid::base {
namespace {

TEST_CASE("gives items in order, and takes no more than it has room for") {
  BoundedQueue<int> queue(2);
  CHECK(queue.TryPush(1));
  CHECK(queue.TryPush(2));
  CHECK_FALSE(queue.TryPush(3));
  CHECK(queue.size() == 2);
  CHECK(queue.Pop() == 1);
  CHECK(queue.Pop() == 2);
}

TEST_CASE("waiting for an item ends in time") {
  BoundedQueue<int> queue(1);
  CHECK_FALSE(queue.Pop(absl::Milliseconds(1)).has_value());
}

TEST_CASE("a full queue makes the pusher wait for room") {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  constexpr int kItems = 1000;
  std::thread pusher([&queue] {
    for (int i = 0; i < kItems; ++i) queue.Push(std::make_unique<int>(i));
  });
  for (int i = 0; i < kItems; ++i) {
    const auto item = queue.Pop();
    REQUIRE(item.has_value());
    REQUIRE(**item == i);
    REQUIRE(queue.size() <= 1);
  }
  pusher.join();
}

TEST_CASE("closing wakes everybody, what is in the queue can still be had") {
  BoundedQueue<int> full(1);
  REQUIRE(full.Push(1));
  bool pushed = true;
  std::thread pusher([&] { pushed = full.Push(2); });
  BoundedQueue<int> empty(1);
  bool popped = true;
  std::thread popper([&] { popped = empty.Pop().has_value(); });
  full.Close();
  empty.Close();
  pusher.join();
  popper.join();
  CHECK_FALSE(pushed);
  CHECK_FALSE(popped);
  CHECK(full.closed());
  CHECK_FALSE(full.TryPush(3));
  CHECK(full.Pop() == 1);
  CHECK_FALSE(full.Pop().has_value());
}

}  // namespace
}  // namespace unbraid::base
