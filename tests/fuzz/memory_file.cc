#include "tests/fuzz/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace unbraid::fuzz {

MemoryFile::MemoryFile() : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
  if (descriptor_ < 0) std::abort();
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

MemoryFile::~MemoryFile() { close(descriptor_); }

store::File MemoryFile::Open() const {
  absl::StatusOr<store::File> file = store::File::Open(path_, store::File::Mode::kRead);
  if (!file.ok()) std::abort();
  return *std::move(file);
}

void MemoryFile::Fill(const uint8_t* data, size_t size) {
  if (ftruncate(descriptor_, 0) != 0) std::abort();
  for (size_t at = 0; at < size;) {
    const ssize_t wrote = pwrite(descriptor_, data + at, size - at, static_cast<off_t>(at));
    if (wrote <= 0) std::abort();
    at += static_cast<size_t>(wrote);
  }
}

}  // namespace unbraid::fuzz
