#include "services/common/audio/resampler.h"

#include <soxr.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

constexpr int64_t kBlockFrames = 16'384;

// Appends to `out`, but never more than `frames` frames in all.
class ExactLength {
 public:
  // `tolerance`: how many frames more or fewer may come.
  ExactLength(int64_t frames, int channels, int64_t tolerance)
      : left_(frames), tolerance_(tolerance), channels_(channels) {}

  void Append(const float* samples, int64_t frames, std::vector<float>* out) {
    const int64_t taken = std::clamp<int64_t>(left_, 0, frames);
    out->insert(out->end(), samples, samples + taken * channels_);
    left_ -= frames;
  }
  absl::Status Fill(std::vector<float>* out) {
    if (left_ > tolerance_ || left_ < -tolerance_) {
      return absl::InternalError(
          absl::StrCat("the resampled audio is ", left_, " frames shorter than it must be"));
    }
    const int64_t missing = std::max<int64_t>(left_, 0);
    out->resize(out->size() + static_cast<size_t>(missing * channels_), 0.0F);
    left_ = 0;
    return absl::OkStatus();
  }

 private:
  int64_t left_;  // below zero when too many came
  const int64_t tolerance_;
  const int channels_;
};

class Copy : public Resampler {
 public:
  Copy(int64_t frames, int channels) : length_(frames, channels, 0) {}
  absl::Status Process(const float* interleaved, int64_t frames, std::vector<float>* out) override {
    length_.Append(interleaved, frames, out);
    return absl::OkStatus();
  }
  absl::Status Finish(std::vector<float>* out) override { return length_.Fill(out); }

 private:
  ExactLength length_;
};

class Soxr : public Resampler {
 public:
  Soxr(soxr_t handle, int channels, int64_t frames, int64_t tolerance)
      : handle_(handle),
        channels_(channels),
        length_(frames, channels, tolerance),
        block_(static_cast<size_t>(kBlockFrames * channels)) {}
  ~Soxr() override { soxr_delete(handle_); }
  Soxr(const Soxr&) = delete;
  Soxr& operator=(const Soxr&) = delete;

  absl::Status Process(const float* interleaved, int64_t frames, std::vector<float>* out) override {
    while (frames > 0) {
      size_t taken = 0;
      UNBRAID_RETURN_IF_ERROR(Step(interleaved, static_cast<size_t>(frames), &taken, out).status());
      interleaved += taken * static_cast<size_t>(channels_);
      frames -= static_cast<int64_t>(taken);
    }
    return absl::OkStatus();
  }

  absl::Status Finish(std::vector<float>* out) override {
    while (true) {
      UNBRAID_ASSIGN_OR_RETURN(const size_t made, Step(nullptr, 0, nullptr, out));
      if (made == 0) break;
    }
    return length_.Fill(out);
  }

 private:
  absl::StatusOr<size_t> Step(const float* in, size_t frames, size_t* taken,
                              std::vector<float>* out) {
    size_t made = 0;
    const soxr_error_t error = soxr_process(handle_, in, frames, taken, block_.data(),
                                            static_cast<size_t>(kBlockFrames), &made);
    if (error != nullptr) return absl::InternalError(absl::StrCat("soxr: ", error));
    length_.Append(block_.data(), static_cast<int64_t>(made), out);
    return made;
  }

  const soxr_t handle_;
  const int channels_;
  ExactLength length_;
  std::vector<float> block_;
};

}  // namespace

int64_t ResampledFrames(int64_t frames, int in_rate, int out_rate) {
  return (frames * out_rate + in_rate - 1) / in_rate;
}

absl::StatusOr<std::unique_ptr<Resampler>> Resampler::Create(int in_rate, int out_rate,
                                                             int channels, int64_t out_frames) {
  if (in_rate == out_rate) return std::make_unique<Copy>(out_frames, channels);
  soxr_error_t error = nullptr;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  // Not every build of soxr makes its tables safely from several threads.
  static absl::Mutex mutex(absl::kConstInit);
  absl::MutexLock lock(&mutex);
  soxr_t handle = soxr_create(in_rate, out_rate, static_cast<unsigned>(channels), &error, &io,
                              &quality, &runtime);
  if (error != nullptr) return absl::InternalError(absl::StrCat("soxr: ", error));
  // One frame of the input, rounded up, and one of soxr's own rounding.
  const int64_t tolerance = ResampledFrames(1, in_rate, out_rate) + 1;
  return std::make_unique<Soxr>(handle, channels, out_frames, tolerance);
}

}  // namespace unbraid::audio
