#include "services/common/audio/sndfile_handle.h"

#include "absl/base/attributes.h"
#include "absl/base/const_init.h"
#include "absl/synchronization/mutex.h"

namespace unbraid::audio {
namespace {

ABSL_CONST_INIT absl::Mutex open_mutex(absl::kConstInit);

OpenedSndfile Opened(SNDFILE* file) {
  if (file != nullptr) return {SndfilePtr(file), SF_ERR_NO_ERROR, ""};
  return {nullptr, sf_error(nullptr), sf_strerror(nullptr)};
}

}  // namespace

OpenedSndfile OpenSndfile(const std::string& path, int mode, SF_INFO* info) {
  absl::MutexLock lock(&open_mutex);
  return Opened(sf_open(path.c_str(), mode, info));
}

OpenedSndfile OpenSndfile(SF_VIRTUAL_IO* io, void* user, SF_INFO* info) {
  absl::MutexLock lock(&open_mutex);
  return Opened(sf_open_virtual(io, SFM_READ, info, user));
}

}  // namespace unbraid::audio
