#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SEEK_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SEEK_H_

#include <cstdint>
#include <cstdio>

namespace unbraid::audio {

// Where a library that reads a file through functions of ours gets to with fseek's `offset` and
// `whence`, or -1. Libraries take offsets out of files as they stand there, so it may lie before
// the start or beyond all numbers.
inline int64_t SeekTarget(int64_t position, int64_t size, int64_t offset, int whence) {
  const int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : size;
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
  return target;
}

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SEEK_H_
