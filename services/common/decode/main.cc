// The decoder as a process of its own. It reads descriptor 3, a file, and writes descriptor 4, a
// pipe; before it looks at a byte of the file it has given away all rights. With --containers it
// lists what it can decode.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "services/common/audio/sniff.h"
#include "services/common/base/memory.h"
#include "services/common/decode/child.h"
#include "services/common/decode/confine.h"
#include "services/common/decode/foreign.h"

namespace unbraid::decode {
namespace {

struct Options {
  bool containers = false;
  audio::DecodeOptions decode;
  Limits limits;
};

int Fail(const absl::Status& status) {
  std::cerr << "unbraid-decoder: " << status.message() << std::endl;
  return 1;
}

int ListContainers() {
  std::vector<std::string> names = audio::OwnContainers();
  if (MakeForeignDecoder()) {
    for (const std::string& name : audio::ForeignContainers()) names.push_back(name);
  }
  for (const std::string& name : names) std::cout << name << "\n";
  return 0;
}

int Run(const Options& options) {
  close_range(kPipeDescriptor + 1, ~0U, 0);
  const audio::ForeignDecoder foreign = MakeForeignDecoder();
  const absl::Status confined = Confine(options.limits);
  if (!confined.ok()) return Fail(confined);
  const absl::Status status =
      DecodeInto(kPipeDescriptor, store::File::FromDescriptor(kFileDescriptor, "the file"),
                 options.decode, foreign);
  return status.ok() ? 0 : Fail(status);
}

}  // namespace
}  // namespace unbraid::decode

int main(int argc, char** argv) {
  using namespace unbraid;  // NOLINT(google-build-using-namespace): a list of parts reads better
  base::KeepLargeBlocks();
  decode::Options options;
  double max_seconds = 0;
  int64_t cpu_seconds = 0;
  CLI::App app("Decodes one file, for unbraid-splitter.", "unbraid-decoder");
  app.add_flag("--containers", options.containers, "List what can be decoded, and end");
  app.add_option("--max-seconds", max_seconds, "Longest track; 0: any");
  app.add_option("--cpu-seconds", cpu_seconds, "CPU time that may be used");
  app.add_option("--memory-bytes", options.limits.memory_bytes, "Memory that may be used");
  app.add_flag("--silence-non-finite", options.decode.silence_non_finite,
               "Give samples that are no numbers as silence");
  CLI11_PARSE(app, argc, argv);
  if (options.containers) return decode::ListContainers();
  if (max_seconds > 0) options.decode.max_duration = absl::Seconds(max_seconds);
  if (cpu_seconds > 0) options.limits.cpu_time = absl::Seconds(cpu_seconds);
  // Nothing is left to tidy up, and what a library does at exit is no concern of a process that
  // has no rights any more.
  _exit(decode::Run(options));
}
