#ifndef UNBRAID_SERVICES_WORKER_TORCH_LANES_H_
#define UNBRAID_SERVICES_WORKER_TORCH_LANES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace unbraid::worker {

// All that is particular to a device that does its work by and by: lanes on which work goes on in
// the order in which it was begun, and beside that of other lanes. Throws what libtorch throws. Not
// thread-safe.
class Lanes {
 public:
  enum Lane { kUpload, kCompute, kDownload };

  virtual ~Lanes() = default;

  virtual at::Device device() const = 0;

  // While the guard lives, what this thread asks libtorch for is work of the lane.
  class Guard {
   public:
    virtual ~Guard() = default;
  };
  virtual std::unique_ptr<Guard> Use(Lane lane) = 0;

  // Marks in `lane` where the work of a slot ends now. `Follow`: further work of `lane` waits for
  // the slot's mark in `earlier`. `Await`: so does the caller; nothing where there is no mark.
  virtual void Mark(Lane lane, int slot) = 0;
  virtual void Follow(Lane lane, Lane earlier, int slot) = 0;
  virtual void Await(Lane lane, int slot) = 0;

  // Memory of the host that the device can copy from and to while other work goes on: float32.
  virtual at::Tensor HostBuffer(int64_t samples) = 0;

  // Gives the device's memory that nobody uses back to the driver.
  virtual void ReleaseMemory() = 0;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_LANES_H_
