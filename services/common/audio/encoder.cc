#include "services/common/audio/encoder.h"

#include <sndfile.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

// RIFF counts bytes in 32 bits; some readers take them as signed, and the header needs room, too.
constexpr int64_t kMaxRiffBytes = (int64_t{4} << 30) - (int64_t{1} << 20);

int FormatCode(OutputFormat format, int64_t data_bytes) {
  int code = format.container == OutputContainer::kFlac ? SF_FORMAT_FLAC
             : data_bytes > kMaxRiffBytes               ? SF_FORMAT_RF64
                                                        : SF_FORMAT_WAV;
  switch (format.sample_format) {
    case SampleFormat::kS16:
      return code | SF_FORMAT_PCM_16;
    case SampleFormat::kS24:
      return code | SF_FORMAT_PCM_24;
    default:
      return code | SF_FORMAT_FLOAT;
  }
}

}  // namespace

struct Encoder::Handle {
  ~Handle() {
    if (file != nullptr) sf_close(file);
  }
  SNDFILE* file = nullptr;
};

absl::StatusOr<std::unique_ptr<Encoder>> Encoder::Create(const std::string& path,
                                                         OutputFormat format, int rate_hz,
                                                         int channels, int64_t frames) {
  const int bits = IntegerBits(format.sample_format);
  constexpr int kFloatBits = 32;
  constexpr int kBitsPerByte = 8;
  SF_INFO info{};
  info.samplerate = rate_hz;
  info.channels = channels;
  info.format =
      FormatCode(format, frames * channels * (bits > 0 ? bits : kFloatBits) / kBitsPerByte);
  auto handle = std::make_unique<Handle>();
  handle->file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (handle->file == nullptr) {
    return absl::InternalError(absl::StrCat("cannot write ", path, ": ", sf_strerror(nullptr)));
  }
  // The PEAK chunk holds the time of writing.
  sf_command(handle->file, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  return std::unique_ptr<Encoder>(new Encoder(path, std::move(handle), format, channels));
}

Encoder::Encoder(std::string path, std::unique_ptr<Handle> handle, OutputFormat format,
                 int channels)
    : path_(std::move(path)), handle_(std::move(handle)), format_(format), channels_(channels) {}

Encoder::~Encoder() {
  if (finished_) return;
  handle_.reset();
  (void)store::RemoveAll(
      path_);  // an unfinished file is of no use, and its owner knows why it is unfinished
}

absl::Status Encoder::Write(const float* interleaved, int64_t frames, float gain) {
  return IntegerBits(format_.sample_format) > 0 ? WriteIntegers(interleaved, frames, gain)
                                                : WriteFloats(interleaved, frames, gain);
}

absl::Status Encoder::WriteIntegers(const float* interleaved, int64_t frames, float gain) {
  const int bits = IntegerBits(format_.sample_format);
  const double full = std::ldexp(1.0, bits - 1);
  constexpr int kIntBits = 32;
  const auto count = static_cast<size_t>(frames * channels_);
  integers_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const double scaled = std::nearbyint(static_cast<double>(interleaved[i]) * gain * full);
    // libsndfile takes the upper bits of an int.
    integers_[i] = static_cast<int>(std::clamp(scaled, -full, full - 1)) * (1 << (kIntBits - bits));
  }
  return Check(sf_writef_int(handle_->file, integers_.data(), frames), frames);
}

absl::Status Encoder::WriteFloats(const float* interleaved, int64_t frames, float gain) {
  if (gain == 1) return Check(sf_writef_float(handle_->file, interleaved, frames), frames);
  floats_.assign(interleaved, interleaved + frames * channels_);
  for (float& sample : floats_) sample *= gain;
  return Check(sf_writef_float(handle_->file, floats_.data(), frames), frames);
}

absl::Status Encoder::Check(int64_t written, int64_t wanted) {
  written_ += written;
  if (written == wanted) return absl::OkStatus();
  if (errno == ENOSPC || errno == EDQUOT) {
    return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                       absl::StrCat("cannot write ", path_, ": no space left on the disk"));
  }
  return absl::InternalError(
      absl::StrCat("cannot write ", path_, ": ", sf_strerror(handle_->file)));
}

absl::Status Encoder::Finish() {
  SNDFILE* file = std::exchange(handle_->file, nullptr);
  if (sf_close(file) != 0) return absl::InternalError(absl::StrCat("cannot complete ", path_));
  UNBRAID_ASSIGN_OR_RETURN(store::File synced,
                           store::File::Open(path_, store::File::Mode::kCreateOrOpen));
  UNBRAID_RETURN_IF_ERROR(synced.Sync());
  SF_INFO info{};
  Handle check;
  check.file = sf_open(path_.c_str(), SFM_READ, &info);
  if (check.file == nullptr || info.frames != written_) {
    return absl::DataLossError(
        absl::StrCat(path_, " does not hold the ", written_, " frames that were written to it"));
  }
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace unbraid::audio
