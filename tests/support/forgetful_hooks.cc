// Takes the place of fsync and fdatasync; see forgetful_disk.h.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/support/forgetful_disk.h"

namespace {

constexpr char kFolder[] = "UNBRAID_FORGETFUL_FOLDER";
constexpr char kDisk[] = "UNBRAID_FORGETFUL_DISK";

using Sync = int (*)(int);

// Whoever is started by this process, a decoder for example, writes nothing that must last.
[[gnu::constructor]] void LeaveChildrenAlone() { unsetenv("LD_PRELOAD"); }

bool IsBelow(const std::string& path, const std::string& folder) {
  return path.compare(0, folder.size(), folder) == 0 &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

int SyncOrRemember(int descriptor, const char* name) {
  const char* folder = std::getenv(kFolder);
  const char* disk = std::getenv(kDisk);
  std::error_code error;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const std::string path = std::filesystem::read_symlink(link, error).string();
  if (folder != nullptr && disk != nullptr && IsBelow(path, folder)) {
    unbraid::test_support::RememberSynced(descriptor, disk);
    return 0;
  }
  const auto real = reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name));
  return real(descriptor);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int fsync(int descriptor) {
  return SyncOrRemember(descriptor, "fsync");
}

__attribute__((visibility("default"))) int fdatasync(int descriptor) {
  return SyncOrRemember(descriptor, "fdatasync");
}

}  // extern "C"
