#include "services/common/audio/mpeg_source.h"

#include <mpg123.h>
#include <sys/types.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/mpeg_header.h"
#include "services/common/audio/seek.h"
#include "services/common/audio/sniff.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

struct Mpg123Delete {
  void operator()(mpg123_handle* handle) const { mpg123_delete(handle); }
};
using Mpg123 = std::unique_ptr<mpg123_handle, Mpg123Delete>;

absl::StatusOr<Mpg123> Create() {
  int error = MPG123_OK;
  Mpg123 handle(mpg123_new(nullptr, &error));
  if (handle == nullptr) {
    return absl::InternalError(absl::StrCat("libmpg123: ", mpg123_plain_strerror(error)));
  }
  constexpr long kFlags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS;
  // Tags at the end and damaged places are skipped, however long they are.
  constexpr long kNoLimit = -1;
  if (mpg123_param(handle.get(), MPG123_ADD_FLAGS, kFlags, 0) != MPG123_OK ||
      mpg123_param(handle.get(), MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0) != MPG123_OK ||
      mpg123_param(handle.get(), MPG123_RESYNC_LIMIT, kNoLimit, 0) != MPG123_OK) {
    return absl::InternalError(absl::StrCat("libmpg123: ", mpg123_strerror(handle.get())));
  }
  return handle;
}

// What libmpg123 reads through.
struct MpegInput {
  SourceFile file;
  int64_t size = 0;
  int64_t position = 0;

  static ssize_t Read(void* self, void* buffer, size_t count) {
    auto* input = static_cast<MpegInput*>(self);
    const absl::StatusOr<int64_t> got = input->file->ReadAt(
        input->position, static_cast<char*>(buffer), static_cast<int64_t>(count));
    if (!got.ok()) return -1;
    input->position += *got;
    return static_cast<ssize_t>(*got);
  }

  static off_t Seek(void* self, off_t offset, int whence) {
    auto* input = static_cast<MpegInput*>(self);
    const int64_t target = SeekTarget(input->position, input->size, offset, whence);
    if (target >= 0) input->position = target;
    return target;
  }
};

class MpegSource : public FrameSource {
 public:
  MpegSource(Info info, std::unique_ptr<MpegInput> input, Mpg123 handle)
      : FrameSource(std::move(info)), input_(std::move(input)), handle_(std::move(handle)) {}

  absl::StatusOr<int64_t> Read(float* interleaved, int64_t frames) override {
    if (!failure_.ok()) return failure_;
    const int64_t frame_bytes = info_.format.channels * static_cast<int64_t>(sizeof(float));
    auto* bytes = reinterpret_cast<unsigned char*>(interleaved);
    int64_t got = 0;
    int result = MPG123_OK;
    while (got < frames && (result == MPG123_OK || result == MPG123_NEW_FORMAT)) {
      size_t done = 0;
      result = mpg123_read(handle_.get(), bytes + got * frame_bytes,
                           static_cast<size_t>((frames - got) * frame_bytes), &done);
      got += static_cast<int64_t>(done) / frame_bytes;
      if (result == MPG123_NEW_FORMAT && !SameFormat()) break;
    }
    failure_ = FailureOf(result);
    // What came before the failure counts: the error's position is right that way.
    if (!failure_.ok() && got == 0) return failure_;
    return got;
  }

 private:
  bool SameFormat() const {
    long rate = 0;
    int channels = 0;
    int encoding = 0;
    return mpg123_getformat(handle_.get(), &rate, &channels, &encoding) == MPG123_OK &&
           rate == info_.format.rate_hz && channels == info_.format.channels &&
           encoding == MPG123_ENC_FLOAT_32;
  }

  absl::Status FailureOf(int result) const {
    switch (result) {
      case MPG123_OK:
      case MPG123_DONE:
      case MPG123_NEED_MORE:  // the last frame is cut off
        return absl::OkStatus();
      case MPG123_NEW_FORMAT:
        return SameFormat() ? absl::OkStatus()
                            : base::Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_AUDIO",
                                          "The sample rate or the number of channels changes in "
                                          "the middle of the file. Convert it to WAV first.");
      default:
        return absl::DataLossError(mpg123_strerror(handle_.get()));
    }
  }

  const std::unique_ptr<MpegInput> input_;  // outlives the handle that reads through it
  const Mpg123 handle_;
  absl::Status failure_;
};

std::string TextOf(const mpg123_string* text) { return text == nullptr ? "" : CleanTag(text->p); }

// A field of fixed length that need not end with a zero.
template <size_t kSize>
std::string TextOf(const char (&field)[kSize]) {
  return CleanTag(std::string(field, strnlen(field, kSize)).c_str());
}

Tags TagsOf(mpg123_handle* handle) {
  mpg123_id3v1* old = nullptr;
  mpg123_id3v2* tag = nullptr;
  Tags tags;
  if (mpg123_id3(handle, &old, &tag) != MPG123_OK) return tags;
  if (tag != nullptr) tags = {TextOf(tag->title), TextOf(tag->artist), TextOf(tag->album)};
  if (old == nullptr) return tags;
  if (tags.title.empty()) tags.title = TextOf(old->title);
  if (tags.artist.empty()) tags.artist = TextOf(old->artist);
  if (tags.album.empty()) tags.album = TextOf(old->album);
  return tags;
}

std::string LayerName(int layer) { return absl::StrCat("MP", layer); }

}  // namespace

absl::StatusOr<std::unique_ptr<FrameSource>> OpenMpeg(SourceFile file,
                                                      const std::string& container) {
  UNBRAID_ASSIGN_OR_RETURN(const FileHead head, ReadFileHead(*file));
  UNBRAID_ASSIGN_OR_RETURN(Mpg123 handle, Create());
  auto input = std::make_unique<MpegInput>();
  UNBRAID_ASSIGN_OR_RETURN(input->size, file->Size());
  input->file = std::move(file);
  long rate = 0;
  int channels = 0;
  int encoding = 0;
  mpg123_frameinfo2 frame{};
  if (mpg123_replace_reader_handle(handle.get(), &MpegInput::Read, &MpegInput::Seek, nullptr) !=
          MPG123_OK ||
      mpg123_open_handle(handle.get(), input.get()) != MPG123_OK ||
      mpg123_getformat(handle.get(), &rate, &channels, &encoding) != MPG123_OK ||
      mpg123_info2(handle.get(), &frame) != MPG123_OK) {
    return CorruptAudio(absl::StrCat(
        "The ", container, " file cannot be opened: ", mpg123_strerror(handle.get()), "."));
  }
  if (encoding != MPG123_ENC_FLOAT_32) {
    return absl::InternalError("libmpg123 was built without float output");
  }
  FrameSource::Info info;
  info.format = {container, LayerName(frame.layer), SampleFormat::kF32, static_cast<int>(rate),
                 channels};
  info.speakers = UsualSpeakers(channels);
  info.tags = TagsOf(handle.get());
  const std::optional<size_t> begin = FindMpegAudio(head.after_tag, head.whole);
  if (begin.has_value() && TellsMpegLength(absl::string_view(head.after_tag).substr(*begin))) {
    info.promised_frames = mpg123_length(handle.get());
    info.tolerance_frames = rate;
  }
  return std::make_unique<MpegSource>(std::move(info), std::move(input), std::move(handle));
}

}  // namespace unbraid::audio
