#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "services/assembler/separation_store.h"
#include "tests/support/sql.h"
#include "tests/unit/assembler/fixtures.h"

namespace unbraid::assembler {
namespace {

const std::vector<std::string>& Outputs() {
  static const auto* const names =
      new std::vector<std::string>{"drums", "bass", "other", "vocals", "mix"};
  return *names;
}

std::map<std::string, std::string> Results(const Bench& bench, const Song& song) {
  std::map<std::string, std::string> results;
  for (const std::string& name : Outputs())
    results[name] = ReadAll(bench.PathOf(song, "out/" + name + ".wav"));
  return results;
}

// Delivers everything that the record lacks, and more: what was not acknowledged comes again.
void DeliverAll(Bench* bench, const Song& song) {
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) bench->SendChunk(song, chunk);
}

// What the record says while no engine runs on the folder.
v1::Separation::State RecordedState(const std::string& folder, const Song& song) {
  const auto store = SeparationStore::Open(folder + "/assembler.sqlite");
  REQUIRE(store.ok());
  const auto job = (*store)->Load(song.separation_id());
  REQUIRE(job.ok());
  return job->separation.state();
}

}  // namespace

TEST_CASE("Case 22: killed after any step, a restart goes on and gives the same bytes") {
  Song song;
  song.format = v1::SAMPLE_FORMAT_S16;
  test_support::TempDir folder;
  Bench reference(folder.path() + "/reference");
  reference.Complete(song);
  const auto expected = Results(reference, song);

  // Out of order, so that there are holes and joins of several chunks.
  std::vector<Result> deliveries;
  for (int64_t chunk : {1, 0, 2, 4, 3}) {
    for (int stem : {3, 0, 1, 2}) deliveries.push_back(song.Samples(chunk, stem));
  }
  Bench victim(folder.path() + "/victim");
  victim.Begin(song);
  for (size_t step = 0; step < deliveries.size(); ++step) {
    const std::string copy = folder.path() + "/copy";
    CopyAsKilled(folder.path() + "/victim", copy);
    {
      Bench revived(copy);
      REQUIRE(revived.created.ok());
      const v1::Separation separation = revived.Get(song);
      REQUIRE(separation.state() == v1::Separation::STATE_SEPARATING);
      REQUIRE(separation.progress().percent() >= 2);
      Recorder recorder;
      DeliverAll(&revived, song);
      REQUIRE(revived.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
      REQUIRE(Results(revived, song) == expected);
    }
    // The last one would let the victim finish while its folder is copied.
    if (step + 1 < deliveries.size()) REQUIRE(victim.Send(deliveries[step]).ok());
  }
}

TEST_CASE("Case 22: killed while finishing, a restart finishes anew") {
  Song song;
  test_support::TempDir folder;
  Bench reference(folder.path() + "/reference");
  reference.Complete(song);
  {
    Bench victim(folder.path() + "/victim");
    victim.Begin(song);
    // The finishing waits behind this, as behind another song.
    const Held held(&victim.finishing_executor);
    DeliverAll(&victim, song);
    Recorder recorder;
    CHECK(victim.Await(song, &recorder, v1::Separation::STATE_FINISHING));
    CopyAsKilled(folder.path() + "/victim", folder.path() + "/copy");
    // What a finishing that was cut off leaves behind.
    std::ofstream(folder.path() + "/copy/separations/123/1/out/drums.wav.tmp") << "half";
    std::ofstream(folder.path() + "/copy/separations/123/1/out/bass.wav") << "half";
  }
  Bench revived(folder.path() + "/copy");
  REQUIRE(revived.created.ok());
  Recorder recorder;
  REQUIRE(revived.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
  CHECK(Results(revived, song) == Results(reference, song));
  CHECK_FALSE(std::filesystem::exists(revived.PathOf(song, "out/drums.wav.tmp")));
  CHECK_FALSE(std::filesystem::exists(revived.PathOf(song, "joined")));
}

TEST_CASE("an orderly end during the finishing leaves it to the next start") {
  Song song;
  test_support::TempDir folder;
  {
    Bench first(folder.path());
    first.Begin(song);
    // The finishing begins when it has been abandoned, and runs before `first` is gone.
    const Held held(&first.finishing_executor);
    DeliverAll(&first, song);
    Recorder recorder;
    CHECK(first.Await(song, &recorder, v1::Separation::STATE_FINISHING));
    first.On([](Engine& e) {
      e.AbandonFinishing();
      return true;
    });
  }
  CHECK(RecordedState(folder.path(), song) == v1::Separation::STATE_FINISHING);
  CHECK(std::filesystem::is_empty(folder.path() + "/separations/123/1/out"));
  Bench second(folder.path());
  Recorder recorder;
  CHECK(second.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
}

TEST_CASE("percentages and versions do not fall over a restart") {
  Song song;
  test_support::TempDir folder;
  v1::Separation before;
  {
    Bench bench(folder.path());
    bench.Begin(song);
    bench.SendChunk(song, 0);
    before = bench.Get(song);
  }
  Bench bench(folder.path());
  const v1::Separation after = bench.Get(song);
  CHECK(after.version() > before.version());
  CHECK(after.progress().percent() >= before.progress().percent());
  CHECK(after.progress().chunks_done() == 1);
}

TEST_CASE("leftovers of a crash are removed at the start, results are kept") {
  Song song;
  test_support::TempDir folder;
  {
    Bench bench(folder.path());
    bench.Complete(song);
  }
  const std::string base = folder.path() + "/separations/";
  std::filesystem::create_directories(base + "999/1/chunks");
  std::filesystem::create_directories(base + "nonsense");
  std::filesystem::create_directories(base + "123/1/joined");
  std::ofstream(base + "123/1/joined/0") << "x";
  Bench bench(folder.path());
  REQUIRE(bench.created.ok());
  CHECK_FALSE(std::filesystem::exists(base + "999"));
  CHECK_FALSE(std::filesystem::exists(base + "nonsense"));
  CHECK_FALSE(std::filesystem::exists(base + "123/1/joined"));
  CHECK(std::filesystem::exists(base + "123/1/out/mix.wav"));
}

TEST_CASE("of what has not ended, old attempts and half-written and joined files are removed") {
  Song song;
  test_support::TempDir folder;
  {
    Bench bench(folder.path());
    bench.Begin(song);
    for (int64_t chunk : {0, 1, 2}) bench.SendChunk(song, chunk);
    REQUIRE(bench.Send(song.Samples(4, 0)).ok());
  }
  const std::string base = folder.path() + "/separations/123/";
  std::filesystem::create_directories(base + "7/out");
  for (const char* name : {"7/out/mix.wav", "nonsense", "1/chunks/3.1.tmp", "1/chunks/0.2",
                           "1/chunks/1.3", "1/out/mix.wav.tmp"}) {
    std::ofstream(base + name) << "x";
  }
  std::filesystem::create_directories(base + "1/incoming");
  std::ofstream(base + "1/incoming/1") << "x";
  Bench bench(folder.path());
  REQUIRE(bench.created.ok());
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base)) {
    if (!entry.is_directory()) left.insert(entry.path().string().substr(base.size()));
  }
  CHECK(left == std::set<std::string>{"1/chunks/4.0", "1/joined/0", "1/joined/1", "1/joined/2",
                                      "1/joined/3", "1/joined/tails.0", "1/joined/tails.1"});
  DeliverAll(&bench, song);
  Recorder recorder;
  CHECK(bench.Await(song, &recorder, v1::Separation::STATE_SUCCEEDED));
}

TEST_CASE(
    "records that are lost or damaged keep the assembler from starting, and no file is lost") {
  Song song;
  test_support::TempDir folder;
  {
    Bench bench(folder.path());
    bench.Complete(song);
  }
  const std::string records = folder.path() + "/assembler.sqlite";
  std::string expected;
  SECTION("removed") {
    std::filesystem::remove(records);
    expected = "is missing or empty, but there are files in " + folder.path() + "/separations";
  }
  SECTION("emptied") {
    std::filesystem::resize_file(records, 0);
    expected = "is missing or empty, but there are files in " + folder.path() + "/separations";
  }
  SECTION("overwritten") {
    std::fstream file(records, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(2 * 4096) << std::string(4096, '\xff');
    expected = "is damaged";
  }
  SECTION("with a record that cannot be read") {
    REQUIRE(test_support::ExecuteSql(records, "UPDATE separations SET separation = x'ff'"));
    expected = "is damaged (the record of separations/123 is damaged)";
  }
  { const Bench first(folder.path()); }  // whoever starts it again is told the same
  Bench bench(folder.path());
  REQUIRE(bench.created.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(
      std::string(bench.created.message()),
      Catch::Contains("the database " + records + " " + expected) && Catch::Contains("Restore"));
  CHECK(std::filesystem::exists(bench.PathOf(song, "out/mix.wav")));
}

TEST_CASE("a separation whose files are damaged fails at the start, and the others go on") {
  Song broken;
  Song whole;
  whole.id = 124;
  test_support::TempDir folder;
  {
    Bench bench(folder.path());
    for (const Song* song : {&broken, &whole}) {
      bench.Begin(*song);
      bench.SendChunk(*song, 0);
      bench.SendChunk(*song, 1);
    }
    std::filesystem::resize_file(bench.PathOf(broken, "joined/1"), 8);
  }
  Bench bench(folder.path());
  REQUIRE(bench.created.ok());
  CHECK(bench.Get(broken).failure().reason() == "STORAGE_DAMAGED");
  CHECK(bench.Get(whole).state() == v1::Separation::STATE_SEPARATING);
}

}  // namespace unbraid::assembler
