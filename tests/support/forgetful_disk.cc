#include "tests/support/forgetful_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

namespace unbraid::test_support {
namespace {

namespace fs = std::filesystem;

// On the disk: files/<identity> holds a content; folders/<identity> has a line for each entry:
// `f` or `d`, identity, name. Names have no line breaks.

[[noreturn]] void Die(const std::string& what, const std::string& path) {
  std::fprintf(stderr, "forgetful disk: cannot %s %s: %s\n", what.c_str(), path.c_str(),
               std::strerror(errno));
  std::abort();
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : value_(open(path.c_str(), flags, 0666)) {
    if (value_ < 0) Die("open", path);
  }
  ~Descriptor() { close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  const int value_;
};

// What is told apart from everything else; empty when there is no such file.
struct Identity {
  std::string text;
  bool is_folder = false;
};

Identity IdentityOf(int folder, const std::string& name) {
  struct statx info {};
  const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  if (statx(folder, name.c_str(), flags, STATX_BTIME | STATX_INO | STATX_TYPE, &info) != 0) {
    if (errno == ENOENT) return {};
    Die("look at", name);
  }
  if ((info.stx_mask & STATX_BTIME) == 0) Die("learn the time of birth of", name);
  return {std::to_string(info.stx_ino) + "-" + std::to_string(info.stx_btime.tv_sec) + "." +
              std::to_string(info.stx_btime.tv_nsec),
          S_ISDIR(info.stx_mode)};
}

void CopyContent(const std::string& from, const std::string& to) {
  const Descriptor in(from, O_RDONLY | O_CLOEXEC);
  const Descriptor out(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  constexpr size_t kMost = size_t{1} << 30;
  ssize_t copied = 0;
  do {
    copied = sendfile(out.get(), in.get(), nullptr, kMost);
  } while (copied > 0);
  if (copied < 0) Die("copy", from);
}

// A whole content takes the place of the one before: the process may be killed anywhere.
void Replace(const std::string& temporary, const std::string& path) {
  if (std::rename(temporary.c_str(), path.c_str()) != 0) Die("rename", temporary);
}

std::string EntriesOf(const std::string& folder) {
  DIR* listing = opendir(folder.c_str());
  if (listing == nullptr) Die("list", folder);
  std::string lines;
  while (const dirent* entry = readdir(listing)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const Identity identity = IdentityOf(dirfd(listing), name);
    if (identity.text.empty()) continue;  // just removed
    lines += (identity.is_folder ? "d " : "f ") + identity.text + " " + name + "\n";
  }
  closedir(listing);
  return lines;
}

void RememberEntries(const std::string& folder, const std::string& path) {
  const std::string temporary = path + ".new";
  std::ofstream file(temporary, std::ios::binary);
  file << EntriesOf(folder);
  file.close();
  if (!file) Die("write", temporary);
  Replace(temporary, path);
}

void RememberContent(const std::string& file, const std::string& path) {
  CopyContent(file, path + ".new");
  Replace(path + ".new", path);
}

void Rebuild(const Identity& folder, const std::string& disk, const std::string& target) {
  fs::create_directories(target);
  std::ifstream entries(disk + "/folders/" + folder.text);
  char kind = 0;
  Identity identity;
  std::string name;
  while (entries >> kind >> identity.text && entries.get() == ' ' && std::getline(entries, name)) {
    const std::string path = target + "/" + name;
    const std::string content = disk + "/files/" + identity.text;
    if (kind == 'd') {
      Rebuild(identity, disk, path);
    } else if (fs::exists(content)) {
      CopyContent(content, path);
    } else {
      std::ofstream empty(path);
    }
  }
}

void RememberPath(const std::string& path, const std::string& disk) {
  RememberSynced(Descriptor(path, O_RDONLY | O_CLOEXEC).get(), disk);
}

}  // namespace

void RememberSynced(int descriptor, const std::string& disk) {
  static std::mutex turns;
  const std::lock_guard<std::mutex> turn(turns);
  const Identity identity = IdentityOf(descriptor, "");
  // The descriptor may be one for writing only, and its file may have no name any more.
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  fs::create_directories(disk + "/folders");
  fs::create_directories(disk + "/files");
  if (identity.is_folder) return RememberEntries(path, disk + "/folders/" + identity.text);
  RememberContent(path, disk + "/files/" + identity.text);
}

void CopyAsPowerCut(const std::string& folder, const std::string& disk, const std::string& target) {
  Rebuild(IdentityOf(AT_FDCWD, folder), disk, target);
}

void CutPower(const std::string& folder, const std::string& disk) {
  const std::string left = disk + "/left";
  CopyAsPowerCut(folder, disk, left);
  // The folder stays the one that its parent knows.
  for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
  fs::copy(left, folder, fs::copy_options::recursive);
  fs::remove_all(left);
  RememberPath(folder, disk);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    RememberPath(entry.path().string(), disk);
  }
}

}  // namespace unbraid::test_support
