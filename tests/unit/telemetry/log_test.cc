#include "services/common/telemetry/log.h"

#include <google/protobuf/wrappers.pb.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/temp_dir.h"

namespace unbraid::telemetry {
namespace {

// Everything that is written to standard output while `work` runs, as JSON objects.
template <typename Work>
std::vector<nlohmann::json> LinesOf(Work work) {
  const test_support::TempDir folder;
  const std::string path = folder.path() + "/out";
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  dup2(fileno(file), STDOUT_FILENO);
  work();
  std::fflush(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  std::fclose(file);
  std::vector<nlohmann::json> lines;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST_CASE("a line is one JSON object with its facts") {
  const auto lines = LinesOf([] {
    InitLogging("worker-1", "info");
    Info("chunk computed", {{"separation", "456"}, {"chunk", 3}, {"seconds", 0.5}, {"last", true}});
  });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["service"] == "worker-1");
  CHECK(lines[0]["level"] == "info");
  CHECK(lines[0]["message"] == "chunk computed");
  CHECK(lines[0]["separation"] == "456");
  CHECK(lines[0]["chunk"] == 3);
  CHECK(lines[0]["seconds"] == 0.5);
  CHECK(lines[0]["last"] == true);
  CHECK(lines[0]["time"].get<std::string>().back() == 'Z');
}

TEST_CASE("less severe lines than asked for are left out") {
  const auto lines = LinesOf([] {
    InitLogging("x", "warning");
    Debug("no");
    Info("no");
    Warning("yes");
    Error("yes", {{"status", absl::NotFoundError("gone")}});
    InitLogging("x", "debug");
    Debug("yes");
  });
  REQUIRE(lines.size() == 3);
  for (const auto& line : lines) CHECK(line["message"] == "yes");
  CHECK(lines[1]["status"] == "NOT_FOUND: gone");
}

TEST_CASE("Case 31: a label with newlines or broken UTF-8 stays on one readable line") {
  const auto lines = LinesOf([] {
    InitLogging("x", "info");
    Info("upload", {{"name", std::string("a\nb\"\xff")}});
  });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["name"].get<std::string>().substr(0, 4) == "a\nb\"");
}

TEST_CASE("what Protobuf has to say is a line like any other") {
  const auto lines = LinesOf([] {
    InitLogging("x", "info");
    google::protobuf::StringValue message;
    CHECK_FALSE(message.ParseFromString("\x0a\x01\xff"));
  });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["level"] == "warning");
  CHECK(lines[0]["detail"].get<std::string>().find("invalid UTF-8") != std::string::npos);
}

}  // namespace
}  // namespace unbraid::telemetry
