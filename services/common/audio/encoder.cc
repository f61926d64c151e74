#include "services/common/audio/encoder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/sndfile_handle.h"
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

// What went wrong with `path`. libsndfile has no word for a full disk, but leaves errno as the
// system set it; the caller has cleared it before.
absl::Status WriteFailure(const std::string& path, const std::string& message) {
  if (errno == ENOSPC || errno == EDQUOT) {
    return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                       absl::StrCat("cannot write ", path, ": no space left on the disk"));
  }
  const std::string system = errno == 0 ? "" : absl::StrCat(" (", std::strerror(errno), ")");
  return absl::InternalError(absl::StrCat("cannot write ", path, ": ", message, system));
}

// Nobody is told if it stays: its owner knows that it is unfinished, and why. Never more than a
// file.
void RemoveUnfinished(const std::string& path) { (void)unlink(path.c_str()); }

}  // namespace

struct Encoder::Handle {
  SndfilePtr file;
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
  errno = 0;
  OpenedSndfile opened = OpenSndfile(path, SFM_WRITE, &info);
  if (opened.file == nullptr) {
    const absl::Status failure = WriteFailure(path, opened.message);
    RemoveUnfinished(path);
    return failure;
  }
  auto handle = std::make_unique<Handle>();
  handle->file = std::move(opened.file);
  // The PEAK chunk holds the time of writing.
  sf_command(handle->file.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  return std::unique_ptr<Encoder>(new Encoder(path, std::move(handle), format, channels));
}

Encoder::Encoder(std::string path, std::unique_ptr<Handle> handle, OutputFormat format,
                 int channels)
    : path_(std::move(path)), handle_(std::move(handle)), format_(format), channels_(channels) {}

Encoder::~Encoder() {
  if (finished_) return;
  handle_.reset();
  RemoveUnfinished(path_);
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
  errno = 0;
  return CheckWritten(sf_writef_int(handle_->file.get(), integers_.data(), frames), frames);
}

absl::Status Encoder::WriteFloats(const float* interleaved, int64_t frames, float gain) {
  floats_.assign(interleaved, interleaved + frames * channels_);
  for (float& sample : floats_) sample *= gain;
  errno = 0;
  return CheckWritten(sf_writef_float(handle_->file.get(), floats_.data(), frames), frames);
}

absl::Status Encoder::CheckWritten(int64_t written, int64_t wanted) {
  written_ += written;
  if (written == wanted) return absl::OkStatus();
  return WriteFailure(path_, sf_strerror(handle_->file.get()));
}

absl::Status Encoder::Finish() {
  SNDFILE* file = handle_->file.release();
  if (file == nullptr) return absl::FailedPreconditionError(absl::StrCat(path_, " is closed"));
  errno = 0;
  // Closing writes what is buffered and the header; a failure of either may show in errno only.
  if (sf_close(file) != 0 || errno == ENOSPC || errno == EDQUOT) {
    return WriteFailure(path_, "it cannot be completed");
  }
  UNBRAID_ASSIGN_OR_RETURN(store::File synced,
                           store::File::Open(path_, store::File::Mode::kCreateOrOpen));
  UNBRAID_RETURN_IF_ERROR(synced.Sync());
  UNBRAID_RETURN_IF_ERROR(CheckFile());
  finished_ = true;
  return absl::OkStatus();
}

absl::Status Encoder::CheckFile() const {
  SF_INFO info{};
  const OpenedSndfile opened = OpenSndfile(path_, SFM_READ, &info);
  bool good = opened.file != nullptr && info.frames == written_;
  if (good && written_ > 0) {
    std::vector<float> last(static_cast<size_t>(channels_));
    good = sf_seek(opened.file.get(), written_ - 1, SEEK_SET) == written_ - 1 &&
           sf_readf_float(opened.file.get(), last.data(), 1) == 1;
  }
  if (good) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path_, " does not hold the ", written_, " frames that were written to it"));
}

}  // namespace unbraid::audio
