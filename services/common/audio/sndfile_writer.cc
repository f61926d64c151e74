#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/file_writer.h"
#include "services/common/audio/sndfile_handle.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

// RIFF counts the bytes of a whole file in 32 bits without a sign. What is not samples, the header
// and the tags, takes less than the MiB that is left for it.
constexpr int64_t kMaxRiffBytes = (int64_t{4} << 30) - (int64_t{1} << 20);

int ContainerCode(const FileSpec& spec, int64_t data_bytes) {
  switch (spec.format.container) {
    case OutputContainer::kFlac:
      return SF_FORMAT_FLAC;
    case OutputContainer::kAiff:
      return SF_FORMAT_AIFF;
    default:
      return data_bytes > kMaxRiffBytes ? SF_FORMAT_RF64 : SF_FORMAT_WAV;
  }
}

int FormatCode(const FileSpec& spec) {
  const int bits = IntegerBits(spec.format.sample_format);
  constexpr int kFloatBits = 32;
  constexpr int kBitsPerByte = 8;
  const int code = ContainerCode(
      spec, spec.frames * spec.channels * (bits > 0 ? bits : kFloatBits) / kBitsPerByte);
  switch (spec.format.sample_format) {
    case SampleFormat::kS16:
      return code | SF_FORMAT_PCM_16;
    case SampleFormat::kS24:
      return code | SF_FORMAT_PCM_24;
    case SampleFormat::kS32:
      return code | SF_FORMAT_PCM_32;
    default:
      return code | SF_FORMAT_FLOAT;
  }
}

// FLAC's level 4 of 8: files are 0.4 % larger than at 5, its default, and take a quarter less CPU
// time.
constexpr double kFlacCompression = 0.5;

// What went wrong with `path`. libsndfile has no word for a full disk, but leaves errno as the
// system set it; the caller has cleared it before.
absl::Status WriteFailure(const std::string& path, const std::string& message) {
  if (errno == ENOSPC || errno == EDQUOT) {
    return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL",
                       absl::StrCat("cannot write ", path, ": no space left on the disk"));
  }
  // Too many files are open, or there is no memory: it may work a moment later.
  const absl::Status passing = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  if (absl::IsResourceExhausted(passing)) return passing;
  const std::string system = errno == 0 ? "" : absl::StrCat(" (", std::strerror(errno), ")");
  return absl::InternalError(absl::StrCat("cannot write ", path, ": ", message, system));
}

int StringCode(const std::string& name) {
  if (name == "TITLE") return SF_STR_TITLE;
  if (name == "ARTIST") return SF_STR_ARTIST;
  if (name == "ALBUM") return SF_STR_ALBUM;
  return SF_STR_COMMENT;
}

class SndfileWriter : public FileWriter {
 public:
  SndfileWriter(std::string path, SndfilePtr file)
      : path_(std::move(path)), file_(std::move(file)) {}

  absl::Status WriteFloats(const float* interleaved, int64_t frames) override {
    errno = 0;
    return CheckWritten(sf_writef_float(file_.get(), interleaved, frames), frames);
  }

  absl::Status WriteIntegers(const int* interleaved, int64_t frames) override {
    errno = 0;
    return CheckWritten(sf_writef_int(file_.get(), interleaved, frames), frames);
  }

  absl::Status Close() override {
    errno = 0;
    // Closing writes what is buffered and the header; a failure of either may show in errno only.
    if (sf_close(file_.release()) == 0 && errno != ENOSPC && errno != EDQUOT) {
      return absl::OkStatus();
    }
    return WriteFailure(path_, "it cannot be completed");
  }

 private:
  absl::Status CheckWritten(int64_t written, int64_t wanted) {
    if (written == wanted) return absl::OkStatus();
    return WriteFailure(path_, sf_strerror(file_.get()));
  }

  const std::string path_;
  SndfilePtr file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FileWriter>> OpenSndfileWriter(const std::string& path,
                                                              const FileSpec& spec) {
  SF_INFO info{};
  info.samplerate = spec.rate_hz;
  info.channels = spec.channels;
  info.format = FormatCode(spec);
  errno = 0;
  OpenedSndfile opened = OpenSndfile(path, SFM_WRITE, &info);
  if (opened.file == nullptr) return WriteFailure(path, opened.message);
  SNDFILE* file = opened.file.get();
  if (spec.format.container == OutputContainer::kFlac) {
    double compression = kFlacCompression;
    sf_command(file, SFC_SET_COMPRESSION_LEVEL, &compression, sizeof(compression));
  }
  // The PEAK chunk holds the time of writing.
  sf_command(file, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  for (const auto& [name, value] : TagFields(spec.tags)) {
    // A container that lacks a field refuses it.
    (void)sf_set_string(file, StringCode(name), value.c_str());
  }
  return std::make_unique<SndfileWriter>(path, std::move(opened.file));
}

}  // namespace unbraid::audio
