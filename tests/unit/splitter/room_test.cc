#include "services/splitter/room.h"

#include <catch2/catch.hpp>

#include "services/common/base/status.h"
#include "services/splitter/upload_ledger.h"

namespace unbraid::splitter {
namespace {

absl::Status Nothing() { return absl::OkStatus(); }

Room DiskOf(int64_t free, int64_t min_free = 0) {
  return Room("", min_free, [free](const std::string&) { return free; });
}

TEST_CASE("Case 36: work is let in as long as it fits beside the minimum and what is promised") {
  Room room = DiskOf(1000, 100);
  CHECK(room.Admit(900, "it", Nothing).ok());
  room.Count([] { return 300; });
  room.Count([] { return 200; });
  CHECK(room.Admit(400, "it", Nothing).ok());
  bool accepted = false;
  const absl::Status refused = room.Admit(401, "this file", [&] {
    accepted = true;
    return absl::OkStatus();
  });
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(base::ReasonOf(refused) == "DISK_FULL");
  CHECK(base::FactsOf(refused)["missing_bytes"] == "1");
  CHECK_THAT(std::string(refused.message()), Catch::Contains("lacks 1 MiB for this file"));
  CHECK_FALSE(accepted);
}

TEST_CASE("room that one was promised is not given to another") {
  Room room = DiskOf(1000);
  int64_t promised = 0;
  room.Count([&promised] { return promised; });
  const auto accept = [&promised] {
    promised += 600;
    return absl::OkStatus();
  };
  CHECK(room.Admit(600, "it", accept).ok());
  CHECK(base::FactsOf(room.Admit(600, "it", accept))["missing_bytes"] == "200");
  CHECK(room.CheckFree(600, "it").ok());  // who was let in may write
}

TEST_CASE("a size beyond all disks is refused and not taken for a small one") {
  Room room = DiskOf(1000, INT64_MAX);
  CHECK(base::ReasonOf(room.Admit(INT64_MAX, "it", Nothing)) == "DISK_FULL");
}

TEST_CASE("what cannot be found out lets nobody in") {
  Room room = DiskOf(1000);
  room.Count([]() -> absl::StatusOr<int64_t> { return absl::InternalError("no records"); });
  CHECK(absl::IsInternal(room.Admit(1, "it", Nothing)));
}

TEST_CASE("uploads need what their streams have announced and not brought yet") {
  UploadLedger ledger;
  ledger.Begin("a", "me", 0, 100);
  ledger.Begin("b", "me", 30, 0);  // of unknown size
  ledger.Begin("c", "you", 50, 80);
  CHECK(ledger.StillNeeded() == 130);
  CHECK(ledger.OwnedBy("me") == 130);
  CHECK(ledger.OwnedBy("you") == 80);
  ledger.Grow("a", 40);
  ledger.Grow("b", 60);
  CHECK(ledger.StillNeeded() == 90);
  CHECK(ledger.OwnedBy("me") == 160);
  // What was brought counts on, what was announced does not.
  ledger.EndStream("a");
  CHECK(ledger.StillNeeded() == 30);
  CHECK(ledger.OwnedBy("me") == 100);
  ledger.Remove("b");
  CHECK(ledger.OwnedBy("me") == 40);
  CHECK(ledger.OwnedBy("nobody") == 0);
}

}  // namespace
}  // namespace unbraid::splitter
