#ifndef UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_HANDLE_H_
#define UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_HANDLE_H_

#include <sndfile.h>

#include <memory>
#include <string>

namespace unbraid::audio {

struct SndfileClose {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfilePtr = std::unique_ptr<SNDFILE, SndfileClose>;

// A file, or why there is none.
struct OpenedSndfile {
  SndfilePtr file;
  int error = 0;
  std::string message;
};

// libsndfile keeps the reason of a failed open in one place for the whole process, so files are
// opened one at a time. Thread-safe.
OpenedSndfile OpenSndfile(const std::string& path, int mode, SF_INFO* info);

// The same, through functions. `io` and `user` outlive the file.
OpenedSndfile OpenSndfile(SF_VIRTUAL_IO* io, void* user, SF_INFO* info);

}  // namespace unbraid::audio

#endif  // UNBRAID_SERVICES_COMMON_AUDIO_SNDFILE_HANDLE_H_
