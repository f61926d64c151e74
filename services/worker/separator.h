#ifndef UNBRAID_SERVICES_WORKER_SEPARATOR_H_
#define UNBRAID_SERVICES_WORKER_SEPARATOR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace unbraid::worker {

// Sizes of what goes into a model and what comes out of it.
struct Geometry {
  int channels = 0;
  int64_t window_frames = 0;
  int stems = 0;

  // Samples of one window: channels x frames.
  size_t window_samples() const {
    return static_cast<size_t>(channels) * static_cast<size_t>(window_frames);
  }
  // Samples of what comes out for one window: stems x channels x frames.
  size_t output_samples() const { return static_cast<size_t>(stems) * window_samples(); }
};

// What a loaded model needs of the memory.
struct Footprint {
  int64_t kept_bytes = 0;     // as long as it is loaded: its parameters, above all
  int64_t working_bytes = 0;  // besides, at most, while it computes one window

  int64_t total_bytes() const { return kept_bytes + working_bytes; }
};

// A loaded model on the CPU. Deterministic: the same windows give the same stems; what shares a
// batch may change the last bits. Not thread-safe; it is used by the thread that made it, because
// the number of threads that a runtime may use is a property of that thread.
class Separator {
 public:
  virtual ~Separator() = default;

  virtual const Geometry& geometry() const = 0;

  // Measured when it was loaded.
  virtual const Footprint& footprint() const = 0;

  // `windows`: one or more windows one after the other, each planar. `wanted`: positions of the
  // stems that are asked for; no graph is run that makes none of them. Fills `stems` with
  // [window][stem][channel][frame], where a stem that is not wanted means nothing; its memory is
  // kept from call to call. INTERNAL, with the runtime's own words, when the model fails; `stems`
  // means nothing then.
  virtual absl::Status Separate(absl::Span<const float> windows, absl::Span<const int> wanted,
                                std::vector<float>* stems) = 0;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_SEPARATOR_H_
