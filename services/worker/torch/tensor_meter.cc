#include "services/worker/torch/tensor_meter.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

namespace unbraid::worker {
namespace {

// libtorch 1 and 2 have different types for the totals.
template <typename Method>
struct TotalOf;
template <typename Total>
struct TotalOf<void (c10::MemoryReportingInfoBase::*)(void*, int64_t, Total, Total, c10::Device)> {
  using Type = Total;
};
using Total = TotalOf<decltype(&c10::MemoryReportingInfoBase::reportMemoryUsage)>::Type;

// What the allocator reports to: a taking is positive, a giving back negative.
class Ledger : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* /*ptr*/, int64_t change, Total /*allocated*/, Total /*reserved*/,
                         c10::Device /*device*/) override {
    bytes_ += change;
    peak_bytes_ = std::max(peak_bytes_, bytes_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t bytes() const { return bytes_; }
  int64_t peak_bytes() const { return peak_bytes_; }

 private:
  int64_t bytes_ = 0;
  int64_t peak_bytes_ = 0;
};

}  // namespace

struct TensorMeter::State {
  std::shared_ptr<Ledger> ledger = std::make_shared<Ledger>();
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, ledger};
};

TensorMeter::TensorMeter() : state_(std::make_unique<State>()) {}

TensorMeter::~TensorMeter() = default;

int64_t TensorMeter::bytes() const { return state_->ledger->bytes(); }

int64_t TensorMeter::peak_bytes() const { return state_->ledger->peak_bytes(); }

}  // namespace unbraid::worker
