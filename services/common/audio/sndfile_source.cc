#include "services/common/audio/sndfile_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/audio/seek.h"
#include "services/common/audio/sndfile_codec.h"
#include "services/common/audio/sndfile_handle.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::audio {
namespace {

// What libsndfile reads through. With `mend_at`, four bytes of the file read as if they were 0xFF:
// a length that nobody has written says "to the end" that way.
class SndfileInput {
 public:
  SndfileInput(SourceFile file, int64_t size, std::optional<int64_t> mend_at)
      : file_(std::move(file)), size_(size), mend_at_(mend_at) {}

  // The functions that libsndfile reads through; `user` is the SndfileInput.
  static SF_VIRTUAL_IO* Functions() {
    static SF_VIRTUAL_IO functions = {&Length, &Seek, &Read, nullptr, &Tell};
    return &functions;
  }

 private:
  static SndfileInput* Self(void* user) { return static_cast<SndfileInput*>(user); }
  static sf_count_t Length(void* user) { return Self(user)->size_; }
  static sf_count_t Tell(void* user) { return Self(user)->position_; }
  static sf_count_t Seek(sf_count_t offset, int whence, void* user) {
    SndfileInput* self = Self(user);
    const int64_t target = SeekTarget(self->position_, self->size_, offset, whence);
    if (target >= 0) self->position_ = target;
    return target;
  }
  static sf_count_t Read(void* buffer, sf_count_t count, void* user) {
    SndfileInput* self = Self(user);
    auto* bytes = static_cast<char*>(buffer);
    const absl::StatusOr<int64_t> got = self->file_->ReadAt(self->position_, bytes, count);
    if (!got.ok()) return 0;
    if (self->mend_at_.has_value()) self->Mend(*self->mend_at_, bytes, *got);
    self->position_ += *got;
    return *got;
  }

  void Mend(int64_t mend_at, char* bytes, int64_t count) const {
    constexpr int64_t kLengthBytes = 4;
    for (int64_t i = 0; i < kLengthBytes; ++i) {
      const int64_t at = mend_at + i - position_;
      if (at >= 0 && at < count) bytes[at] = '\xFF';
    }
  }

  const SourceFile file_;
  const int64_t size_;
  const std::optional<int64_t> mend_at_;
  int64_t position_ = 0;
};

class SndfileSource : public FrameSource {
 public:
  SndfileSource(Info info, std::unique_ptr<SndfileInput> input, SndfilePtr file)
      : FrameSource(std::move(info)), input_(std::move(input)), file_(std::move(file)) {}

  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) override {
    if (!failure_.ok()) return failure_;
    const sf_count_t got = sf_readf_float(file_.get(), interleaved, frames);
    // The library forgets its error at the next call, and may have read something before it.
    if (got < frames && sf_error(file_.get()) != SF_ERR_NO_ERROR) {
      failure_ = absl::DataLossError(sf_strerror(file_.get()));
      if (got == 0) return failure_;
    }
    return got;
  }

 private:
  const std::unique_ptr<SndfileInput> input_;  // outlives the file that reads through it
  const SndfilePtr file_;
  absl::Status failure_;
};

absl::Status OpenFailure(const std::string& container, const OpenedSndfile& opened) {
  // libsndfile's number for a codec that it knows of and does not decode; not in its header.
  constexpr int kUnimplemented = 18;
  const bool other_codec = opened.error == SF_ERR_UNSUPPORTED_ENCODING ||
                           (opened.error == kUnimplemented && container == "AIFF");
  if (other_codec) return NoDecoder(absl::StrCat("a kind of ", container, " file"));
  const absl::string_view cause = absl::StripSuffix(opened.message, ".");
  return CorruptAudio(absl::StrCat("The ", container, " file cannot be opened: ", cause, "."));
}

// Opus has 48 kHz. libsndfile would decode at a lower rate near the one that the header names,
// which tells of what was once encoded, and lose frames by rounding.
void DecodeOpusAtItsRate(SNDFILE* file, SF_INFO* sound) {
  if ((sound->format & SF_FORMAT_SUBMASK) != SF_FORMAT_OPUS) return;
  int rate_hz = 48'000;
  sf_command(file, SFC_SET_ORIGINAL_SAMPLERATE, &rate_hz, sizeof(rate_hz));
  sf_command(file, SFC_GET_CURRENT_SF_INFO, sound, sizeof(*sound));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrameSource>> OpenWithSndfile(
    SourceFile file, const std::string& container, std::optional<int64_t> lost_length_at) {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  auto input = std::make_unique<SndfileInput>(std::move(file), size, lost_length_at);
  SF_INFO sound{};
  OpenedSndfile opened = OpenSndfile(SndfileInput::Functions(), input.get(), &sound);
  if (opened.file == nullptr) return OpenFailure(container, opened);
  DecodeOpusAtItsRate(opened.file.get(), &sound);
  const CodecInfo codec = CodecOf(sound.format & SF_FORMAT_SUBMASK);
  FrameSource::Info info;
  info.format = {container, codec.name, codec.sample_format, sound.samplerate, sound.channels};
  info.speakers = SpeakersOf(opened.file.get(), sound.channels, container);
  info.tags = {CleanTag(sf_get_string(opened.file.get(), SF_STR_TITLE)),
               CleanTag(sf_get_string(opened.file.get(), SF_STR_ARTIST)),
               CleanTag(sf_get_string(opened.file.get(), SF_STR_ALBUM))};
  // The library's word for a length that it does not know.
  if (sound.frames < SF_COUNT_MAX) info.promised_frames = sound.frames;
  return std::make_unique<SndfileSource>(std::move(info), std::move(input), std::move(opened.file));
}

}  // namespace unbraid::audio
