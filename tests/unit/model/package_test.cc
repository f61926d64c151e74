#include "services/common/model/package.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>

#include "tests/support/temp_dir.h"
#include "tests/unit/model/package_folder.h"

namespace unbraid::model {
namespace {

using Catch::Contains;
using nlohmann::json;

TEST_CASE("reads every field of a package") {
  const test_support::TempDir parent;
  const json content = RightJson("good-1");
  const std::string folder = WritePackage(parent.path(), "good-1", content);
  const auto package = LoadPackage(folder);
  INFO(package.status());
  REQUIRE(package.ok());
  CHECK(package->name == "good-1");
  CHECK(package->version == "1.0");
  CHECK(package->title == "A model");
  REQUIRE(package->graphs.size() == 1);
  CHECK(package->graphs[0].path == folder + "/model.pt");
  CHECK(package->graphs[0].sha256 == base::ToHex(base::Sha256Of(kGraph)));
  CHECK(package->graphs[0].stems == std::vector<int>{0, 1});
  CHECK(package->sha256 == base::ToHex(base::Sha256Of(content.dump())));
  CHECK(package->sample_rate_hz == 44100);
  CHECK(package->channels == 2);
  CHECK(package->window_frames == 1000);
  CHECK(package->overlap_frames == 500);
  CHECK(package->stems == std::vector<std::string>{"vocals", "other"});
  CHECK(package->normalisation == Normalisation::kTrack);
  CHECK(package->licence == "MIT");
  CHECK(package->source == "a test");
  CHECK(package->StemIndex("other") == 1);
  CHECK(package->StemIndex("mix") == -1);
}

TEST_CASE("Case 7: a package has as many stems as its model") {
  const test_support::TempDir parent;
  json content = RightJson("six");
  content["stems"] = {"drums", "bass", "other", "vocals", "guitar", "piano"};
  const auto package = LoadPackage(WritePackage(parent.path(), "six", content));
  REQUIRE(package.ok());
  CHECK(package->stems.size() == 6);
  CHECK(package->StemIndex("piano") == 5);
}

TEST_CASE("names the field that is wrong") {
  const auto [field, value] = GENERATE(table<std::string, json>({
      {"format", 0},
      {"format", 3},
      {"name", "Upper"},
      {"sample_rate", 7999},
      {"sample_rate", 192001},
      {"channels", 0},
      {"channels", 3},
      {"window", 1},
      {"window", (1 << 21) - 1023},
      {"overlap", -1},
      {"overlap", 501},
      {"format", 1.5},
      {"channels", 1e10},
      {"channels", (int64_t{1} << 32) + 2},
      {"window", 1e300},
      {"window", std::numeric_limits<uint64_t>::max()},
      {"overlap", 0.5},
      {"overlap", nullptr},
      {"stems", json::array()},
      {"stems", json::array({"a", "a"})},
      {"stems", json::array({"mix"})},
      {"stems", json::array({"vocals", "residual"})},
      {"stems", json::array({"../x"})},
      {"normalisation", "chunk"},
  }));
  const test_support::TempDir parent;
  json content = RightJson("bad");
  content[field] = value;
  const auto package = LoadPackage(WritePackage(parent.path(), "bad", content));
  INFO(field << " " << value);
  CHECK(package.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(package.status().message()),
             Contains("\"" + field + "\"") && Contains(parent.path()));
}

TEST_CASE("names the field that is missing or of another type") {
  const test_support::TempDir parent;
  const json right = RightJson("bad");
  for (const auto& [field, value] : right.items()) {
    json content = RightJson("bad");
    content.erase(field);
    const auto package = LoadPackage(WritePackage(parent.path(), "bad", content));
    CHECK(package.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(package.status().message()), Contains(field));
  }
  json content = RightJson("bad");
  content["window"] = "wide";
  CHECK(LoadPackage(WritePackage(parent.path(), "bad", content)).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a graph is a file of the package, nothing elsewhere") {
  const test_support::TempDir parent;
  for (const char* file : {"../other/model.pt", "/etc/passwd", ""}) {
    json content = RightJson("bad");
    content["graph"]["file"] = file;
    const auto package = LoadPackage(WritePackage(parent.path(), "bad", content));
    CHECK(package.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(package.status().message()), Contains("graph.file"));
  }
}

TEST_CASE("reads a package of several graphs, each with its stems") {
  const test_support::TempDir parent;
  const std::string folder = WritePackage(parent.path(), "many", ManyGraphsJson("many"));
  const auto package = LoadPackage(folder);
  INFO(package.status());
  REQUIRE(package.ok());
  CHECK(package->stems == std::vector<std::string>{"drums", "bass", "vocals"});
  REQUIRE(package->graphs.size() == 2);
  CHECK(package->graphs[0].path == folder + "/a.pt");
  CHECK(package->graphs[0].stems == std::vector<int>{2, 0});
  CHECK(package->graphs[1].path == folder + "/b.pt");
  CHECK(package->graphs[1].stems == std::vector<int>{1});
}

TEST_CASE("names what is wrong with one of several graphs") {
  const auto [place, value, words] = GENERATE(table<std::string, json, std::string>({
      {"/graphs/1/stems", json::array({"bas"}), "\"graphs[1].stems\" names bas, which is not in"},
      {"/graphs/1/stems", json::array({"vocals"}),
       "\"graphs[1].stems\" names vocals, which a graph"},
      {"/graphs/1/stems", json::array({"bass", "bass"}), "\"graphs[1].stems\" names bass, which a"},
      {"/graphs/1/stems", json::array(), "\"graphs[1].stems\" must name a stem"},
      {"/graphs/0/stems", json::array({"vocals"}), "must make every stem; none makes drums"},
      {"/graphs/1/file", "a.pt", "\"graphs[1].file\" must not be the file of another graph"},
      {"/graphs/1/file", "../a.pt", "\"graphs[1].file\" must be a file in the package's own"},
      {"/graphs/0/sha256", "00", "\"graphs[0].sha256\" must be 64"},
      {"/graphs", json::array(), "must make every stem; none makes drums"},
      {"/graphs", json::object(), "\"graphs\" must be a list"},
      {"/graphs/0", "a.pt", "model.json: "},
      {"/format", 1, "graph"},
  }));
  const test_support::TempDir parent;
  json content = ManyGraphsJson("bad");
  content[json::json_pointer(place)] = value;
  const absl::Status status = LoadPackage(WritePackage(parent.path(), "bad", content)).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), Contains(words));
}

TEST_CASE("every one of several graphs is compared with its hash") {
  const test_support::TempDir parent;
  const std::string folder = WritePackage(parent.path(), "many", ManyGraphsJson("many"));
  const auto package = LoadPackage(folder);
  REQUIRE(package.ok());
  CHECK(VerifyGraphs(*package).ok());
  std::ofstream(folder + "/b.pt") << "other bytes";
  CHECK(VerifyGraphs(*package).code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(VerifyGraphs(*package).message()), Contains("b.pt"));
  std::filesystem::remove(folder + "/a.pt");
  CHECK(VerifyGraphs(*package).code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(VerifyGraphs(*package).message()), Contains("a.pt"));
}

TEST_CASE("refuses what is no JSON, no file, or bears another name") {
  const test_support::TempDir parent;
  const std::string folder = WritePackage(parent.path(), "folder", RightJson("other"));
  CHECK_THAT(std::string(LoadPackage(folder).status().message()), Contains("other"));
  std::ofstream(folder + "/model.json") << "{ \"format\": ";
  CHECK(LoadPackage(folder).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(LoadPackage(parent.path() + "/none").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("Case 30: a partly copied graph is noticed") {
  const test_support::TempDir parent;
  const std::string folder = WritePackage(parent.path(), "good", RightJson("good"));
  const auto package = LoadPackage(folder);
  REQUIRE(package.ok());
  CHECK(VerifyGraphs(*package).ok());
  std::ofstream(folder + "/model.pt") << std::string(kGraph).substr(0, 10);
  const absl::Status damaged = VerifyGraphs(*package);
  CHECK(damaged.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(damaged.message()), Contains("model.pt") && Contains("again"));
  std::filesystem::remove(folder + "/model.pt");
  CHECK(VerifyGraphs(*package).code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unbraid::model
