#include "services/common/audio/encoder.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/decoder.h"
#include "services/common/audio/file_writer.h"
#include "services/common/audio/sndfile_handle.h"
#include "services/common/base/crc32c.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

// So much is handed to the disk at a time. With less the disk does more; with more Finish() waits
// longer.
constexpr int64_t kFramesOfWriting = int64_t{1} << 20;

// Nobody is told if it stays: its owner knows that it is unfinished, and why. Never more than a
// file.
void RemoveUnfinished(const std::string& path) { (void)unlink(path.c_str()); }

absl::StatusOr<std::unique_ptr<FileWriter>> OpenWriter(const std::string& path,
                                                       const FileSpec& spec) {
  switch (spec.format.container) {
    case OutputContainer::kOggVorbis:
      return OpenVorbisWriter(path, spec);
    case OutputContainer::kOggOpus:
      return OpenOpusWriter(path, spec);
    case OutputContainer::kMp3:
      return OpenMp3Writer(path, spec);
    default:
      return OpenSndfileWriter(path, spec);
  }
}

// Decodes the whole file: of lossy ones only that shows what they decode to.
absl::StatusOr<int64_t> CountDecodedFrames(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const std::unique_ptr<Decoder> decoder, Decoder::Open(path));
  constexpr int64_t kBlockFrames = 16'384;
  std::vector<float> block(static_cast<size_t>(kBlockFrames * decoder->format().channels));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoder->Read(block.data(), kBlockFrames));
    if (got == 0) return decoder->position();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Encoder>> Encoder::Create(const std::string& path,
                                                         const OutputFormat& format, int rate_hz,
                                                         int channels, int64_t frames,
                                                         const OutputTags& tags) {
  absl::StatusOr<std::unique_ptr<FileWriter>> writer =
      OpenWriter(path, {format, rate_hz, channels, frames, tags});
  if (!writer.ok()) {
    RemoveUnfinished(path);
    return writer.status();
  }
  absl::StatusOr<store::File> file = store::File::Open(path, store::File::Mode::kRead);
  if (!file.ok()) {
    RemoveUnfinished(path);
    return file.status();
  }
  return std::unique_ptr<Encoder>(new Encoder(path, *std::move(file), *std::move(writer), format,
                                              rate_hz, channels, base::Crc32c(tags.stem)));
}

Encoder::Encoder(std::string path, store::File file, std::unique_ptr<FileWriter> writer,
                 const OutputFormat& format, int rate_hz, int channels, uint64_t dither_seed)
    : path_(std::move(path)),
      file_(std::move(file)),
      writer_(std::move(writer)),
      format_(format),
      rate_hz_(rate_hz),
      channels_(channels),
      shaper_(format, dither_seed) {}

Encoder::~Encoder() {
  if (finished_) return;
  writer_.reset();
  RemoveUnfinished(path_);
}

absl::Status Encoder::Write(const float* interleaved, int64_t frames, float gain) {
  if (written_ / kFramesOfWriting != (written_ + frames) / kFramesOfWriting) file_.BeginSync();
  written_ += frames;
  if (IntegerBits(format_.sample_format) > 0) {
    shaper_.ToIntegers(interleaved, frames * channels_, gain, &integers_);
    return writer_->WriteIntegers(integers_.data(), frames);
  }
  shaper_.ToFloats(interleaved, frames * channels_, gain, &floats_);
  return writer_->WriteFloats(floats_.data(), frames);
}

absl::Status Encoder::Finish() {
  if (writer_ == nullptr) return absl::FailedPreconditionError(absl::StrCat(path_, " is closed"));
  const std::unique_ptr<FileWriter> writer = std::move(writer_);
  UNBRAID_RETURN_IF_ERROR(writer->Close());
  UNBRAID_RETURN_IF_ERROR(file_.Sync());
  const absl::StatusOr<int64_t> found =
      format_.IsLossy() ? CountDecodedFrames(path_) : CountPcmFrames();
  const int64_t wanted = format_.Frames(written_, rate_hz_);
  if (!found.ok() || *found != wanted) {
    const std::string cause =
        found.ok() ? absl::StrCat(*found) : std::string(found.status().message());
    return absl::DataLossError(absl::StrCat(path_, " does not hold the ", wanted,
                                            " frames that were written to it: ", cause));
  }
  finished_ = true;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Encoder::CountPcmFrames() const {
  SF_INFO info{};
  const OpenedSndfile opened = OpenSndfile(path_, SFM_READ, &info);
  if (opened.file == nullptr) return absl::DataLossError(opened.message);
  std::vector<float> last(static_cast<size_t>(channels_));
  const bool readable = info.frames == 0 ||
                        (sf_seek(opened.file.get(), info.frames - 1, SEEK_SET) == info.frames - 1 &&
                         sf_readf_float(opened.file.get(), last.data(), 1) == 1);
  if (!readable) return absl::DataLossError("its last frame cannot be read");
  return info.frames;
}

}  // namespace unbraid::audio
