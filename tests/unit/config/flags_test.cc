#include "services/common/config/flags.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "services/common/store/files.h"
#include "tests/support/temp_dir.h"

namespace unbraid::config {
namespace {

using Catch::Contains;

// What a program is told, and what it prints while it reads that.
struct Program {
  CommonConfig common;
  std::string listen = "127.0.0.1:1";
  int threads = 2;
  absl::Duration grace = absl::Seconds(10);
  std::string printed;
  std::string complained;

  std::optional<int> Parse(std::vector<std::string> arguments) {
    Flags flags("program", "A program.");
    flags.Add(&common);
    flags.Add("--listen", &listen, "Where to listen");
    flags.Add("--test-threads", &threads, "Threads");
    flags.AddDuration("--grace", &grace, "Grace");
    arguments.insert(arguments.begin(), "program");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    std::ostringstream out;
    std::ostringstream err;
    std::streambuf* old_out = std::cout.rdbuf(out.rdbuf());
    std::streambuf* old_err = std::cerr.rdbuf(err.rdbuf());
    const std::optional<int> status = flags.Parse(static_cast<int>(argv.size()), argv.data());
    std::cout.rdbuf(old_out);
    std::cerr.rdbuf(old_err);
    printed = out.str();
    complained = err.str();
    return status;
  }
};

// An environment variable for the time of a test.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name_); }

 private:
  const char* const name_;
};

TEST_CASE("keeps the defaults when nothing is said") {
  Program program;
  CHECK_FALSE(program.Parse({}).has_value());
  CHECK(program.threads == 2);
  CHECK(program.grace == absl::Seconds(10));
  CHECK(program.common.log_level == "info");
  CHECK(program.common.http.empty());
}

TEST_CASE("the command line wins over the environment, the environment over the file") {
  const test_support::TempDir folder;
  const std::string file = folder.path() + "/config.toml";
  std::ofstream(file) << "test-threads = 3\nlisten = \"file:1\"\ngrace = \"3s\"\n";
  const Environment threads("UNBRAID_TEST_THREADS", "4");
  const Environment listen("UNBRAID_LISTEN", "environment:1");
  Program program;
  INFO(program.complained);
  CHECK_FALSE(program.Parse({"--config", file, "--listen", "flag:1"}).has_value());
  CHECK(program.listen == "flag:1");
  CHECK(program.threads == 4);
  CHECK(program.grace == absl::Seconds(3));
}

TEST_CASE("reads durations with their unit, and only those") {
  Program program;
  CHECK_FALSE(program.Parse({"--grace", "1500ms"}).has_value());
  CHECK(program.grace == absl::Milliseconds(1500));
  for (const char* wrong : {"15", "-1s", "soon", ""}) {
    Program other;
    CHECK(other.Parse({"--grace=" + std::string(wrong)}).value_or(0) == 2);
    CHECK_THAT(other.complained, Contains("--grace"));
  }
}

TEST_CASE("ends with a complaint about what it does not know") {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--no-such-flag"},
                                                    {"--test-threads", "many"},
                                                    {"--log-level", "loud"},
                                                    {"--config", "/nonexistent/file"}}) {
    Program program;
    CHECK(program.Parse(arguments).value_or(0) == 2);
    CHECK_FALSE(program.complained.empty());
  }
}

TEST_CASE("refuses an unknown line of the file") {
  const test_support::TempDir folder;
  const std::string file = folder.path() + "/config.toml";
  std::ofstream(file) << "test-thread = 3\n";  // a letter is missing
  Program program;
  CHECK(program.Parse({"--config", file}).value_or(0) == 2);
}

TEST_CASE("prints version, help and the options in force, and ends well") {
  Program version;
  CHECK(version.Parse({"--version"}) == 0);
  CHECK_THAT(version.printed, Contains(UNBRAID_VERSION));
  Program help;
  CHECK(help.Parse({"--help"}) == 0);
  CHECK_THAT(help.printed, Contains("--listen") && Contains("UNBRAID_LISTEN"));
  Program print;
  CHECK(print.Parse({"--print-config", "--test-threads", "7"}) == 0);
  CHECK_THAT(print.printed,
             Contains("test-threads=7") && Contains("listen=") && Contains("grace="));
}

TEST_CASE("what --print-config prints can be read again") {
  Program print;
  REQUIRE(print.Parse({"--print-config", "--test-threads", "7", "--grace", "90s", "--listen",
                       "[::1]:5"}) == 0);
  const test_support::TempDir folder;
  const std::string file = folder.path() + "/config.toml";
  std::ofstream(file) << print.printed;
  Program again;
  const auto status = again.Parse({"--config", file});
  INFO(print.printed << again.complained);
  CHECK_FALSE(status.has_value());
  CHECK(again.threads == 7);
  CHECK(again.grace == absl::Seconds(90));
  CHECK(again.listen == "[::1]:5");
}

TEST_CASE("a time to live of 0 is for ever") {
  CHECK(TimeToLive(absl::ZeroDuration()) == absl::InfiniteDuration());
  CHECK(TimeToLive(absl::Hours(168)) == absl::Hours(168));
}

TEST_CASE("writes the bound addresses into a file") {
  const test_support::TempDir folder;
  const std::string file = folder.path() + "/addresses";
  CHECK(WriteAddressFile(file, "127.0.0.1:1", "127.0.0.1:2").ok());
  CHECK(*store::ReadSmallFile(file) == "grpc=127.0.0.1:1\nhttp=127.0.0.1:2\n");
  CHECK(WriteAddressFile(file, "127.0.0.1:1", "").ok());
  CHECK(*store::ReadSmallFile(file) == "grpc=127.0.0.1:1\n");
  CHECK(WriteAddressFile("", "127.0.0.1:1", "").ok());
  CHECK_FALSE(WriteAddressFile(folder.path() + "/none/file", "a", "b").ok());
}

}  // namespace
}  // namespace unbraid::config
