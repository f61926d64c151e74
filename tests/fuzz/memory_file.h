#ifndef UNBRAID_TESTS_FUZZ_MEMORY_FILE_H_
#define UNBRAID_TESTS_FUZZ_MEMORY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "services/common/store/files.h"

namespace unbraid::fuzz {

// A file in memory for parsers that take a file or a path. Ends the process where the system gives
// none.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Replaces the content.
  void Fill(const uint8_t* data, size_t size);

  store::File Open() const;

  // Opens a description of its own, positioned at the start, each time.
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace unbraid::fuzz

#endif  // UNBRAID_TESTS_FUZZ_MEMORY_FILE_H_
