#include <lame/lame.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/audio/append_file.h"
#include "services/common/audio/file_writer.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

constexpr int64_t kStepFrames = 4'608;
// What LAME asks for: 1.25 bytes a frame, and 7200.
constexpr size_t kStepBytes = kStepFrames + kStepFrames / 4 + 7'200;

struct LameClose {
  void operator()(lame_t lame) const { lame_close(lame); }
};
using Lame = std::unique_ptr<lame_global_flags, LameClose>;

void Silent(const char*, va_list) {}

void SetBitrate(lame_t lame, const FileSpec& spec) {
  // Frames of fewer bits, at rates that have short ones, have no room for the header with the
  // delay. A variable bitrate between equal bounds gives the same frames, and a header that may be
  // larger than they are.
  constexpr int kRoomyKbps = 64;
  constexpr int kLongFramesBelowHz = 16'000;
  const int kbps = spec.format.bitrate_kbps;
  if (kbps >= kRoomyKbps || spec.rate_hz < kLongFramesBelowHz) {
    lame_set_VBR(lame, vbr_off);
    lame_set_brate(lame, kbps);
    return;
  }
  lame_set_VBR(lame, vbr_abr);
  lame_set_VBR_mean_bitrate_kbps(lame, kbps);
  lame_set_VBR_min_bitrate_kbps(lame, kbps);
  lame_set_VBR_max_bitrate_kbps(lame, kbps);
}

absl::StatusOr<Lame> CreateLame(const FileSpec& spec) {
  Lame lame(lame_init());
  if (lame == nullptr) return absl::InternalError("LAME has no memory");
  lame_set_errorf(lame.get(), &Silent);
  lame_set_msgf(lame.get(), &Silent);
  lame_set_debugf(lame.get(), &Silent);
  lame_set_in_samplerate(lame.get(), spec.rate_hz);
  lame_set_out_samplerate(lame.get(), spec.rate_hz);  // otherwise it chooses one by the bitrate
  lame_set_num_channels(lame.get(), spec.channels);
  lame_set_mode(lame.get(), spec.channels == 1 ? MONO : JOINT_STEREO);
  lame_set_write_id3tag_automatic(lame.get(), 0);
  lame_set_bWriteVbrTag(lame.get(), 1);
  if (spec.format.bitrate_kbps > 0) {
    SetBitrate(lame.get(), spec);
  } else {
    constexpr double kWorst = 9;
    lame_set_VBR(lame.get(), vbr_mtrh);
    lame_set_VBR_quality(lame.get(),
                         static_cast<float>((1 - spec.format.quality.value_or(0)) * kWorst));
  }
  if (lame_init_params(lame.get()) != 0) {
    return absl::InternalError(absl::StrCat("LAME cannot encode ", spec.rate_hz, " Hz"));
  }
  return lame;
}

class Mp3Writer : public LossyWriter {
 public:
  // The file holds `tag_bytes` bytes of tag.
  Mp3Writer(AppendFile file, int64_t tag_bytes, Lame lame, int channels)
      : file_(std::move(file)),
        tag_bytes_(tag_bytes),
        lame_(std::move(lame)),
        channels_(channels),
        encoded_(kStepBytes) {}

  absl::Status WriteFloats(const float* interleaved, int64_t frames) override {
    while (frames > 0) {
      const int64_t step = std::min(frames, kStepFrames);
      UNBRAID_RETURN_IF_ERROR(Append(Encode(interleaved, static_cast<int>(step))));
      interleaved += step * channels_;
      frames -= step;
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    UNBRAID_RETURN_IF_ERROR(
        Append(lame_encode_flush(lame_.get(), encoded_.data(), static_cast<int>(encoded_.size()))));
    // The first frame is silence that has been kept free for the header.
    const size_t size = lame_get_lametag_frame(lame_.get(), encoded_.data(), encoded_.size());
    if (size == 0 || size > encoded_.size()) {
      return absl::InternalError("LAME has no room for the header with the delay");
    }
    UNBRAID_RETURN_IF_ERROR(
        file_.Overwrite(tag_bytes_, {reinterpret_cast<const char*>(encoded_.data()), size}));
    return file_.Close();
  }

 private:
  int Encode(const float* interleaved, int frames) {
    const auto room = static_cast<int>(encoded_.size());
    if (channels_ == 1) {
      return lame_encode_buffer_ieee_float(lame_.get(), interleaved, interleaved, frames,
                                           encoded_.data(), room);
    }
    return lame_encode_buffer_interleaved_ieee_float(lame_.get(), interleaved, frames,
                                                     encoded_.data(), room);
  }

  // `size`: of what is in encoded_, or LAME's number of an error.
  absl::Status Append(int size) {
    if (size < 0) return absl::InternalError(absl::StrCat("LAME failed with ", size));
    return file_.Append(encoded_.data(), size);
  }

  AppendFile file_;
  const int64_t tag_bytes_;
  const Lame lame_;
  const int channels_;
  std::vector<unsigned char> encoded_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FileWriter>> OpenMp3Writer(const std::string& path,
                                                          const FileSpec& spec) {
  UNBRAID_ASSIGN_OR_RETURN(AppendFile file, AppendFile::Create(path));
  UNBRAID_ASSIGN_OR_RETURN(Lame lame, CreateLame(spec));
  const std::string tag = Id3Tag(spec.tags);
  UNBRAID_RETURN_IF_ERROR(file.Append(tag));
  return std::make_unique<Mp3Writer>(std::move(file), static_cast<int64_t>(tag.size()),
                                     std::move(lame), spec.channels);
}

}  // namespace unbraid::audio
