// model.json: any bytes give a package that keeps the rules, or an error and no exception.
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "services/common/model/package.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/temp_dir.h"

namespace {

// A folder `tiny` whose model.json leads into memory.
class Folder {
 public:
  Folder() : path_(temp_.path() + "/tiny") {
    std::filesystem::create_directory(path_);
    std::filesystem::create_symlink(file_.path(), path_ + "/model.json");
  }

  unbraid::fuzz::MemoryFile& file() { return file_; }
  const std::string& path() const { return path_; }

 private:
  unbraid::test_support::TempDir temp_;
  std::string path_;
  unbraid::fuzz::MemoryFile file_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Folder folder;  // destroyed at exit, which removes it from the disk
  folder.file().Fill(data, size);
  const auto package = unbraid::model::LoadPackage(folder.path());
  if (!package.ok()) {
    UNBRAID_FUZZ_CHECK(absl::IsInvalidArgument(package.status()));
    return 0;
  }
  UNBRAID_FUZZ_CHECK(package->name == "tiny" && !package->stems.empty());
  UNBRAID_FUZZ_CHECK(package->channels == 1 || package->channels == 2);
  UNBRAID_FUZZ_CHECK(package->window_frames >= 2 && package->window_frames < 1 << 21);
  UNBRAID_FUZZ_CHECK(package->overlap_frames >= 0 &&
                     package->overlap_frames <= package->window_frames / 2);
  std::set<int> made;
  for (const unbraid::model::Graph& graph : package->graphs) {
    UNBRAID_FUZZ_CHECK(std::filesystem::path(graph.path).parent_path() == folder.path());
    UNBRAID_FUZZ_CHECK(graph.sha256.size() == 64 && !graph.stems.empty());
    for (const int stem : graph.stems) UNBRAID_FUZZ_CHECK(made.insert(stem).second);
  }
  UNBRAID_FUZZ_CHECK(made.size() == package->stems.size() && *made.begin() == 0 &&
                     *made.rbegin() == static_cast<int>(made.size()) - 1);
  return 0;
}
