#ifndef UNBRAID_SERVICES_WORKER_TORCH_TENSOR_METER_H_
#define UNBRAID_SERVICES_WORKER_TORCH_TENSOR_METER_H_

#include <cstdint>
#include <memory>

namespace unbraid::worker {

// Counts the bytes of tensors that its thread takes and gives back, from its making to its end.
class TensorMeter {
 public:
  TensorMeter();
  ~TensorMeter();
  TensorMeter(const TensorMeter&) = delete;
  TensorMeter& operator=(const TensorMeter&) = delete;

  // Held now, and at most so far.
  int64_t bytes() const;
  int64_t peak_bytes() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_TORCH_TENSOR_METER_H_
