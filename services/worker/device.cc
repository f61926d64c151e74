#include "services/worker/device.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace unbraid::worker {
namespace {

constexpr int kMostGpus = 1024;

// Libraries tell a lack of memory in different ways; that a handle of cuBLAS or cuDNN could not be
// made is one of them.
constexpr std::array<absl::string_view, 6> kLackOfMemory = {
    "out of memory",      "CUBLAS_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUFFT_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED",  "CUDNN_STATUS_NOT_INITIALIZED"};

// After these every later call fails as well.
constexpr std::array<absl::string_view, 3> kLoss = {"CUDA error:", "CUDNN_STATUS_EXECUTION_FAILED",
                                                    "CUFFT_EXEC_FAILED"};

template <typename Words>
bool ContainsAny(absl::string_view text, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [text](absl::string_view word) { return absl::StrContains(text, word); });
}

}  // namespace

std::string DeviceName::ToString() const { return cuda() ? absl::StrCat("cuda:", gpu) : "cpu"; }

absl::StatusOr<DeviceName> ParseDevice(absl::string_view text) {
  if (text == "cpu") return DeviceName();
  if (text == "cuda") return DeviceName{0};
  int gpu = 0;
  const bool digits = absl::ConsumePrefix(&text, "cuda:") && !text.empty() &&
                      std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (digits && absl::SimpleAtoi(text, &gpu) && gpu < kMostGpus) return DeviceName{gpu};
  return absl::InvalidArgumentError(
      "--device must be cpu, cuda (the first GPU), or cuda:N for the GPU with number N, from 0");
}

absl::Status StatusOfGpuFailure(absl::string_view words) {
  if (ContainsAny(words, kLackOfMemory)) return absl::ResourceExhaustedError(words);
  if (ContainsAny(words, kLoss)) return absl::UnavailableError(words);
  return absl::InternalError(words);
}

}  // namespace unbraid::worker
