#include "services/common/amqp/confirm_window.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace unbraid::amqp {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1000);

Outgoing Make(const std::string& body) {
  Outgoing outgoing;
  outgoing.message.body = body;
  return outgoing;
}

void Send(ConfirmWindow* window, const std::vector<std::string>& bodies) {
  for (const std::string& body : bodies) window->Sent(Make(body), kNow);
}

std::vector<std::string> Bodies(const std::vector<Outgoing>& messages) {
  std::vector<std::string> bodies;
  for (const Outgoing& outgoing : messages) bodies.push_back(outgoing.message.body);
  return bodies;
}

using Names = std::vector<std::string>;

TEST_CASE("messages are numbered from 1, as the broker counts") {
  ConfirmWindow window;
  CHECK(window.next_sequence() == 1);
  Send(&window, {"a", "b"});
  CHECK(window.next_sequence() == 3);
  CHECK(Bodies(window.Acked(2, false).confirmed) == Names{"b"});
  CHECK(window.next_sequence() == 3);
}

TEST_CASE("an ack of many confirms everything up to its number, in the order of sending") {
  ConfirmWindow window;
  Send(&window, {"a", "b", "c", "d"});
  CHECK(Bodies(window.Acked(3, true).confirmed) == Names{"a", "b", "c"});
  CHECK(window.messages() == 1);
}

TEST_CASE("acks may come out of order and overlap with an ack of many") {
  ConfirmWindow window;
  Send(&window, {"a", "b", "c"});
  CHECK(Bodies(window.Acked(2, false).confirmed) == Names{"b"});
  CHECK(Bodies(window.Acked(3, true).confirmed) == Names{"a", "c"});
  CHECK(window.messages() == 0);
  CHECK(window.bytes() == 0);
}

TEST_CASE("a number that is not in the window changes nothing") {
  ConfirmWindow window;
  Send(&window, {"a"});
  CHECK(window.Acked(2, false).confirmed.empty());
  window.Returned(7);
  CHECK(window.messages() == 1);
  CHECK(Bodies(window.Acked(1, false).confirmed) == Names{"a"});
  CHECK(window.Acked(1, false).confirmed.empty());
}

TEST_CASE("an ack after a return is no success") {
  ConfirmWindow window;
  Send(&window, {"a", "b", "c"});
  window.Returned(2);
  const ConfirmWindow::Outcome outcome = window.Acked(3, true);
  CHECK(Bodies(outcome.confirmed) == Names{"a", "c"});
  REQUIRE(Bodies(outcome.unwanted) == Names{"b"});
  CHECK(outcome.unwanted[0].returns == 1);
}

TEST_CASE("returns are counted over all attempts, and each attempt begins anew") {
  ConfirmWindow window;
  Send(&window, {"a"});
  window.Returned(1);
  ConfirmWindow::Outcome first = window.Acked(1, false);
  REQUIRE(first.unwanted.size() == 1);
  window.Sent(std::move(first.unwanted[0]), kNow);
  const ConfirmWindow::Outcome second = window.Acked(2, false);
  REQUIRE(second.confirmed.size() == 1);
  CHECK(second.confirmed[0].returns == 1);
}

TEST_CASE("a nack means: send again") {
  ConfirmWindow window;
  Send(&window, {"a", "b", "c"});
  const ConfirmWindow::Outcome outcome = window.Nacked(2, true);
  CHECK(Bodies(outcome.refused) == Names{"a", "b"});
  CHECK(outcome.confirmed.empty());
  CHECK(Bodies(window.Acked(3, false).confirmed) == Names{"c"});
}

TEST_CASE("when the channel is gone everything unconfirmed comes back in order, counted anew") {
  ConfirmWindow window;
  Send(&window, {"a", "b", "c", "d"});
  window.Acked(2, false);
  CHECK(Bodies(window.TakeAll()) == Names{"a", "c", "d"});
  CHECK(window.messages() == 0);
  CHECK(window.next_sequence() == 1);
  CHECK(window.TakeAll().empty());
}

TEST_CASE("the bytes of what is unconfirmed are counted") {
  ConfirmWindow window;
  Send(&window, {"12345", "123"});
  CHECK(window.bytes() == 8);
  window.Acked(1, false);
  CHECK(window.bytes() == 3);
  window.TakeAll();
  CHECK(window.bytes() == 0);
}

TEST_CASE("the oldest message tells for how long a confirm is overdue") {
  ConfirmWindow window;
  CHECK(window.oldest() == absl::InfiniteFuture());
  window.Sent(Make("a"), kNow);
  window.Sent(Make("b"), kNow + absl::Seconds(5));
  CHECK(window.oldest() == kNow);
  window.Acked(1, false);
  CHECK(window.oldest() == kNow + absl::Seconds(5));
}

}  // namespace
}  // namespace unbraid::amqp
