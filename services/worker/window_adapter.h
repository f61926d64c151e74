#ifndef UNBRAID_SERVICES_WORKER_WINDOW_ADAPTER_H_
#define UNBRAID_SERVICES_WORKER_WINDOW_ADAPTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "services/worker/separator.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {

// Between a task and a model: channels and normalisation, both ways. The task has passed CheckTask.
//
//   task    model   in                                out
//   mono    mono    as it is                          as it is
//   mono    stereo  the channel twice                 mean of both channels
//   stereo  mono    two windows, one for each channel each window's output is its channel's
//   stereo  stereo  as it is                          as it is
class WindowAdapter {
 public:
  explicit WindowAdapter(const Geometry& geometry) : geometry_(geometry) {}

  // How many windows the task makes for the model: 1, or 2 for a stereo task and a mono model.
  int WindowCount(const internal::v1::ChunkTask& task) const;

  // Appends the task's windows, normalised. What lies outside the track stays zero, as it is when a
  // whole track is normalised before it is padded.
  void AppendWindows(const internal::v1::ChunkTask& task, std::vector<float>* windows) const;

  // Makes `samples` the kept frames of one stem as they travel: little-endian float32, planar in
  // the task's channels, with the normalisation undone. `output` is what the model gave for the
  // task's windows.
  void KeepStem(const internal::v1::ChunkTask& task, int stem, absl::Span<const float> output,
                std::string* samples) const;

 private:
  const Geometry geometry_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_WINDOW_ADAPTER_H_
