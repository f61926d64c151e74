// The assembler on a disk that forgets what was not synced: whatever it has answered for is there.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/forgetful_scope.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

using test_support::ForgetfulScope;

class PowerCutTest {
 protected:
  PowerCutTest() : victim_(std::make_unique<Bench>(disk_.folder())) {
    song_.format = v1::SAMPLE_FORMAT_S16;
  }

  // What an undisturbed one makes of the song.
  std::map<std::string, std::string> Expected() {
    Bench reference(elsewhere_.path() + "/reference");
    reference.Complete(song_);
    return Results(reference);
  }

  std::map<std::string, std::string> Results(const Bench& bench) const {
    std::map<std::string, std::string> results;
    for (const auto& entry : std::filesystem::directory_iterator(bench.PathOf(song_, "out")))
      results[entry.path().filename().string()] = ReadAll(entry.path().string());
    return results;
  }

  // Out of order, so that there are holes and joins of several chunks.
  std::vector<Result> Deliveries() const {
    std::vector<Result> deliveries;
    for (int64_t chunk : order_) {
      for (auto stem = song_.computed.rbegin(); stem != song_.computed.rend(); ++stem)
        deliveries.push_back(song_.Samples(chunk, *stem));
    }
    return deliveries;
  }

  // What is delivered after this one.
  std::vector<Result> After(const Result& result) const {
    std::vector<Result> deliveries = Deliveries();
    const auto at = std::find_if(deliveries.begin(), deliveries.end(), [&](const Result& other) {
      return other.chunk == result.chunk && other.stem == result.stem;
    });
    return {at + 1, deliveries.end()};
  }

  // Lets the victim do what it has posted to itself.
  void Settle() {
    for (int64_t i = 0; i <= song_.chunks(); ++i) victim_->On([](Engine&) { return true; });
  }

  // Sends the victim the first ones, cuts the power, and brings the others: what was acknowledged
  // never comes again. Gives the results.
  std::map<std::string, std::string> ResultsAfterCut(size_t acknowledged) {
    const std::vector<Result> deliveries = Deliveries();
    Settle();
    Bench revived(disk_.AfterPowerCut());
    INFO(revived.created);
    REQUIRE(revived.created.ok());
    for (size_t i = acknowledged; i < deliveries.size(); ++i)
      REQUIRE(revived.Send(deliveries[i]).ok());
    Recorder recorder;
    CHECK(revived.Await(song_, &recorder, v1::Separation::STATE_SUCCEEDED));
    INFO(revived.Get(song_).failure().message());
    return Results(revived);
  }

  const ForgetfulScope disk_;
  const test_support::TempDir elsewhere_;
  Song song_;
  std::vector<int64_t> order_ = {1, 0, 2, 4, 3};
  std::unique_ptr<Bench> victim_;
};

TEST_CASE_METHOD(PowerCutTest, "Case 22: a separation that was opened is there after a power cut") {
  REQUIRE(victim_->On([&](Engine& e) { return e.Open(kOwner, song_.Open()); }).ok());
  Bench revived(disk_.AfterPowerCut());
  REQUIRE(revived.created.ok());
  CHECK(revived.Get(song_).state() == v1::Separation::STATE_PREPARING);
}

TEST_CASE_METHOD(
    PowerCutTest,
    "Case 22: whenever the power fails, what was acknowledged is not asked for again") {
  const auto expected = Expected();
  const std::vector<Result> deliveries = Deliveries();
  victim_->Begin(song_);
  for (size_t step = 0; step < deliveries.size(); ++step) {
    INFO("after " << step << " results");
    REQUIRE(ResultsAfterCut(step) == expected);
    // The last one would let the victim finish while its folder is looked at.
    if (step + 1 < deliveries.size()) REQUIRE(victim_->Send(deliveries[step]).ok());
  }
}

TEST_CASE_METHOD(PowerCutTest,
                 "Case 22: what is joined straight from memory is safe when it is taken") {
  const auto expected = Expected();
  const size_t at_once = GENERATE(1, 3, 6, 20);
  victim_->Begin(song_);
  std::vector<Engine::Offer> held;
  for (const Result& result : Deliveries()) {
    held.push_back({result});
    if (held.size() % at_once != 0) continue;
    REQUIRE(victim_->Offer(&held, /*all=*/false).ok());
    held.erase(
        std::remove_if(held.begin(), held.end(), [](const auto& offer) { return offer.taken; }),
        held.end());
    if (victim_->Get(song_).state() != v1::Separation::STATE_SEPARATING) break;
    // The broker brings what was not acknowledged again, and what it still had.
    std::vector<Engine::Offer> rest = held;
    for (const Result& later : After(result)) rest.push_back({later});
    Bench revived(disk_.AfterPowerCut());
    INFO(revived.created);
    REQUIRE(revived.created.ok());
    REQUIRE(revived.Offer(&rest, /*all=*/true).ok());
    Recorder recorder;
    CHECK(revived.Await(song_, &recorder, v1::Separation::STATE_SUCCEEDED));
    REQUIRE(Results(revived) == expected);
  }
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: power that fails between or within passes costs nothing") {
  song_ = ShiftedSong();
  song_.wanted = {"bass"};
  song_.computed = {1};
  song_.gains = {1};
  order_ = {1, 0, 2, 4, 3, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto expected = Expected();
  const std::vector<Result> deliveries = Deliveries();
  REQUIRE(deliveries.size() == static_cast<size_t>(song_.chunks()));
  victim_->Begin(song_);
  for (size_t step = 0; step < deliveries.size(); ++step) {
    INFO("after " << step << " results");
    REQUIRE(ResultsAfterCut(step) == expected);
    if (step + 1 < deliveries.size()) REQUIRE(victim_->Send(deliveries[step]).ok());
  }
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: power that fails again and again costs nothing either") {
  const auto expected = Expected();
  const std::vector<Result> deliveries = Deliveries();
  victim_->Begin(song_);
  for (size_t step = 0; step < deliveries.size(); ++step) {
    REQUIRE(victim_->Send(deliveries[step]).ok());
    if (step % 7 != 3) continue;
    Settle();
    victim_.reset();
    disk_.Cut();
    victim_ = std::make_unique<Bench>(disk_.folder());
    REQUIRE(victim_->created.ok());
  }
  Recorder recorder;
  REQUIRE(victim_->Await(song_, &recorder, v1::Separation::STATE_SUCCEEDED));
  CHECK(Results(*victim_) == expected);
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: the song of a residual is there when it was taken") {
  song_.residual = true;
  const auto expected = Expected();
  victim_->Begin(song_);
  CHECK(ResultsAfterCut(0) == expected);
}

TEST_CASE_METHOD(PowerCutTest,
                 "Case 22: power that fails while finishing costs the finishing only") {
  const auto expected = Expected();
  victim_->Begin(song_);
  const Held held(&victim_->finishing_executor);
  for (const Result& result : Deliveries()) REQUIRE(victim_->Send(result).ok());
  Recorder recorder;
  CHECK(victim_->Await(song_, &recorder, v1::Separation::STATE_FINISHING));
  CHECK(ResultsAfterCut(Deliveries().size()) == expected);
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: what has succeeded can be downloaded after a power cut") {
  victim_->Complete(song_);
  const auto expected = Results(*victim_);
  Bench revived(disk_.AfterPowerCut());
  REQUIRE(revived.created.ok());
  CHECK(revived.Get(song_).state() == v1::Separation::STATE_SUCCEEDED);
  CHECK(Results(revived) == expected);
  CHECK_FALSE(std::filesystem::exists(revived.PathOf(song_, "joined")));
}

TEST_CASE_METHOD(PowerCutTest, "Case 22: what was deleted does not come back, nor do its files") {
  victim_->Complete(song_);
  REQUIRE(victim_->On([&](Engine& e) { return e.Delete(kOwner, song_.separation_id()); }).ok());
  Bench revived(disk_.AfterPowerCut());
  REQUIRE(revived.created.ok());
  const auto found = revived.On([&](Engine& e) { return e.Get(kOwner, song_.separation_id()); });
  CHECK(absl::IsNotFound(found.status()));
  CHECK(std::filesystem::is_empty(revived.folder + "/separations"));
}

TEST_CASE_METHOD(PowerCutTest,
                 "Case 22: files of an older attempt that a power cut brings back go") {
  victim_->Begin(song_);
  REQUIRE(victim_->Send(song_.Samples(0, 0)).ok());
  REQUIRE(victim_->On([&](Engine& e) { return e.Cancel(kOwner, song_.separation_id()); }).ok());
  victim_->Begin(song_);
  Bench revived(disk_.AfterPowerCut());
  REQUIRE(revived.created.ok());
  CHECK(revived.Get(song_).attempt() == 2);
  CHECK_FALSE(std::filesystem::exists(revived.PathOf(song_, "")));
  for (int64_t chunk = 0; chunk < song_.chunks(); ++chunk) revived.SendChunk(song_, chunk, 2);
  Recorder recorder;
  CHECK(revived.Await(song_, &recorder, v1::Separation::STATE_SUCCEEDED));
}

}  // namespace
}  // namespace unbraid::assembler
