#include <ogg/ogg.h>
#include <opus/opusenc.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/append_file.h"
#include "services/common/audio/file_writer.h"
#include "services/common/audio/ogg_serial.h"
#include "services/common/audio/resampler.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

struct CommentsDestroy {
  void operator()(OggOpusComments* comments) const { ope_comments_destroy(comments); }
};
using Comments = std::unique_ptr<OggOpusComments, CommentsDestroy>;

struct EncoderDestroy {
  void operator()(OggOpusEnc* encoder) const { ope_encoder_destroy(encoder); }
};
using OpusEncoderPtr = std::unique_ptr<OggOpusEnc, EncoderDestroy>;

absl::Status OpusFailure(int error) {
  return absl::InternalError(absl::StrCat("libopusenc: ", ope_strerror(error)));
}

absl::StatusOr<OpusEncoderPtr> CreateEncoder(const FileSpec& spec) {
  const Comments comments(ope_comments_create());
  for (const auto& [name, value] : TagFields(spec.tags)) {
    const int error = ope_comments_add(comments.get(), name.c_str(), value.c_str());
    if (error != OPE_OK) return OpusFailure(error);
  }
  int error = OPE_OK;
  constexpr int kMonoOrStereo = 0;
  OpusEncoderPtr encoder(ope_encoder_create_pull(comments.get(), spec.format.RateHz(spec.rate_hz),
                                                 spec.channels, kMonoOrStereo, &error));
  if (encoder == nullptr) return OpusFailure(error);
  constexpr int kBitsPerKilobit = 1'000;
  error = ope_encoder_ctl(encoder.get(), OPE_SET_SERIALNO(kOggSerial));
  if (error == OPE_OK) {
    error = ope_encoder_ctl(encoder.get(),
                            OPUS_SET_BITRATE(spec.format.bitrate_kbps * kBitsPerKilobit));
  }
  if (error != OPE_OK) return OpusFailure(error);
  return encoder;
}

// Puts the original rate into the first page, where the library writes the one that it was fed
// with.
void NameOriginalRate(int rate_hz, unsigned char* bytes, int64_t size) {
  constexpr int kSegmentCountAt = 26;
  constexpr int kRateAt = 12;  // in OpusHead: four bytes, the lowest first
  constexpr int kRateBytes = 4;
  constexpr unsigned kByteBits = 8;
  ogg_page page;
  page.header = bytes;
  page.header_len = kSegmentCountAt + 1 + bytes[kSegmentCountAt];
  page.body = bytes + page.header_len;
  page.body_len = static_cast<long>(size) - page.header_len;
  for (unsigned i = 0; i < kRateBytes; ++i) {
    page.body[kRateAt + i] =
        static_cast<unsigned char>(static_cast<unsigned>(rate_hz) >> (kByteBits * i));
  }
  ogg_page_checksum_set(&page);
}

class OpusWriter : public LossyWriter {
 public:
  OpusWriter(AppendFile file, OpusEncoderPtr encoder, std::unique_ptr<Resampler> resampler,
             const FileSpec& spec)
      : file_(std::move(file)),
        encoder_(std::move(encoder)),
        resampler_(std::move(resampler)),
        rate_hz_(spec.rate_hz),
        channels_(spec.channels) {}

  absl::Status WriteFloats(const float* interleaved, int64_t frames) override {
    resampled_.clear();
    UNBRAID_RETURN_IF_ERROR(resampler_->Process(interleaved, frames, &resampled_));
    return Encode();
  }

  absl::Status Close() override {
    resampled_.clear();
    UNBRAID_RETURN_IF_ERROR(resampler_->Finish(&resampled_));
    UNBRAID_RETURN_IF_ERROR(Encode());
    const int error = ope_encoder_drain(encoder_.get());
    if (error != OPE_OK) return OpusFailure(error);
    UNBRAID_RETURN_IF_ERROR(WritePages());
    return file_.Close();
  }

 private:
  absl::Status Encode() {
    const auto frames = static_cast<int>(resampled_.size()) / channels_;
    if (frames == 0) return absl::OkStatus();
    const int error = ope_encoder_write_float(encoder_.get(), resampled_.data(), frames);
    if (error != OPE_OK) return OpusFailure(error);
    return WritePages();
  }

  absl::Status WritePages() {
    unsigned char* page = nullptr;
    opus_int32 size = 0;
    constexpr int kNoFlush = 0;
    while (ope_encoder_get_page(encoder_.get(), &page, &size, kNoFlush) == 1) {
      if (!begun_) NameOriginalRate(rate_hz_, page, size);
      begun_ = true;
      UNBRAID_RETURN_IF_ERROR(file_.Append(page, size));
    }
    return absl::OkStatus();
  }

  AppendFile file_;
  const OpusEncoderPtr encoder_;
  const std::unique_ptr<Resampler> resampler_;
  const int rate_hz_;
  const int channels_;
  bool begun_ = false;
  std::vector<float> resampled_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FileWriter>> OpenOpusWriter(const std::string& path,
                                                           const FileSpec& spec) {
  UNBRAID_ASSIGN_OR_RETURN(AppendFile file, AppendFile::Create(path));
  UNBRAID_ASSIGN_OR_RETURN(OpusEncoderPtr encoder, CreateEncoder(spec));
  UNBRAID_ASSIGN_OR_RETURN(
      std::unique_ptr<Resampler> resampler,
      Resampler::Create(spec.rate_hz, spec.format.RateHz(spec.rate_hz), spec.channels,
                        spec.format.Frames(spec.frames, spec.rate_hz)));
  return std::make_unique<OpusWriter>(std::move(file), std::move(encoder), std::move(resampler),
                                      spec);
}

}  // namespace unbraid::audio
