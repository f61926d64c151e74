#include <catch2/catch.hpp>

#include "tests/support/child_process.h"
#include "tests/unit/audio/files.h"

namespace unbraid::decode {
namespace {

int Attempt(const std::string& what, const std::string& file) {
  test_support::ChildProcess::Command command;
  command.arguments = {UNBRAID_CONFINED, what, file};
  command.output_file = file;  // what it writes would grow this
  auto child = test_support::ChildProcess::Start(command);
  REQUIRE(child.ok());
  const auto code = child->Wait(absl::Seconds(20));
  REQUIRE(code.ok());
  return *code;
}

TEST_CASE("a confined process does its work, and nothing else") {
  const audio::AudioFolder folder;
  const std::string file = folder.Write("secret", "secret");
  CHECK(Attempt("allowed", file) == 0);
  for (const char* what :
       {"read-a-file", "make-a-file", "remove-a-file", "network", "local-socket", "process",
        "program", "signal", "signal-a-thread", "look-for-a-file", "grow-a-file"}) {
    CAPTURE(what);
    CHECK(Attempt(what, file) == 0);
  }
  CHECK(audio::ReadBytes(file) == "secret");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a confined process gets no memory beyond its limit") {
  const audio::AudioFolder folder;
  CHECK(Attempt("memory", folder.Write("file", "x")) == 0);
}

TEST_CASE("nobody hears what a confined process says to standard error") {
  const audio::AudioFolder folder;
  const std::string file = folder.Write("file", "log");
  CHECK(Attempt("standard-error", file) == 0);
  CHECK(audio::ReadBytes(file) == "log");
}
#endif

}  // namespace
}  // namespace unbraid::decode
