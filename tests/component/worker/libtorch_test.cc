#include <link.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace unbraid::worker {
namespace {

namespace fs = std::filesystem;

// The real paths of what this process has loaded under a name that begins like this.
std::vector<fs::path> Loaded(const std::string& name) {
  struct Search {
    const std::string& name;
    std::vector<fs::path> found;
  } search = {name, {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto& [wanted, found] = *static_cast<Search*>(data);
        const fs::path path = info->dlpi_name;
        if (absl::StartsWith(path.filename().string(), wanted)) {
          found.push_back(fs::canonical(path));
        }
        return 0;
      },
      &search);
  return search.found;
}

TEST_CASE("the libtorch that is loaded is the one that was chosen, and no other") {
  for (const char* name : {"libc10.so", "libtorch_cpu.so"}) {
    const std::vector<fs::path> loaded = Loaded(name);
    REQUIRE(loaded.size() == 1);
    CHECK(loaded[0].parent_path() == fs::canonical(UNBRAID_LIBTORCH_FOLDER));
  }
}

}  // namespace
}  // namespace unbraid::worker
