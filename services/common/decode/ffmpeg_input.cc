#include "services/common/decode/ffmpeg_input.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include <array>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/seek.h"
#include "services/common/base/status.h"

namespace unbraid::decode {
namespace {

constexpr int kBufferBytes = 64 << 10;
// How much may be read to find out what the streams are.
constexpr int64_t kProbeBytes = 8 << 20;
constexpr int64_t kProbeMicroseconds = 10'000'000;
constexpr int kMaxStreams = 64;

const char* DemuxerOf(const std::string& container) {
  static const auto* const demuxers = new std::map<std::string, const char*>{
      {"AAC", "aac"},       {"AC3", "ac3"},           {"AIFF", "aiff"}, {"AMR", "amr"},
      {"APE", "ape"},       {"ASF", "asf"},           {"AVI", "avi"},   {"CAF", "caf"},
      {"FLV", "flv"},       {"MATROSKA", "matroska"}, {"MP4", "mov"},   {"MPEG", "mpeg"},
      {"MPEGTS", "mpegts"}, {"MUSEPACK", "mpc8"},     {"OGG", "ogg"},   {"REALMEDIA", "rm"},
      {"TTA", "tta"},       {"W64", "w64"},           {"WAV", "wav"},   {"WAVPACK", "wv"}};
  const auto found = demuxers->find(container);
  return found == demuxers->end() ? "" : found->second;
}

// Musepack has two kinds of stream under one name.
const AVInputFormat* FindDemuxer(const audio::SourceFile& file, const std::string& container) {
  std::array<char, 3> head{};
  const bool old_musepack = container == "MUSEPACK" &&
                            file->ReadAt(0, head.data(), head.size()).ok() &&
                            absl::string_view(head.data(), head.size()) == "MP+";
  return av_find_input_format(old_musepack ? "mpc" : DemuxerOf(container));
}

// A file may name others, and none of them is any business of ours.
int RefuseToOpen(AVFormatContext* /*context*/, AVIOContext** /*io*/, const char* /*url*/,
                 int /*flags*/, AVDictionary** /*options*/) {
  return AVERROR(EPERM);
}

}  // namespace

std::string FfmpegError(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

absl::Status FfmpegStatus(int error) {
  if (error == AVERROR(ENOMEM)) {
    return base::Error(absl::StatusCode::kInvalidArgument, "DECODER_LIMIT",
                       "Decoding this file takes more memory than is allowed. Convert it to WAV or "
                       "FLAC first.");
  }
  return absl::DataLossError(FfmpegError(error));
}

absl::StatusOr<std::unique_ptr<FfmpegInput>> FfmpegInput::Open(audio::SourceFile file,
                                                               const std::string& container,
                                                               const Options& options) {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  std::unique_ptr<FfmpegInput> input(new FfmpegInput(std::move(file), size));
  UNBRAID_RETURN_IF_ERROR(input->OpenDemuxer(container, options));
  return input;
}

absl::Status FfmpegInput::OpenDemuxer(const std::string& container, const Options& options) {
  const AVInputFormat* demuxer = FindDemuxer(file_, container);
  if (demuxer == nullptr) return audio::NoDecoder(absl::StrCat("a kind of ", container, " file"));
  auto* buffer = static_cast<uint8_t*>(av_malloc(kBufferBytes));
  io_ = avio_alloc_context(buffer, kBufferBytes, 0, this, &Read, nullptr, &Seek);
  context_ = avformat_alloc_context();
  if (io_ == nullptr || context_ == nullptr) return FfmpegStatus(AVERROR(ENOMEM));
  context_->pb = io_;
  context_->flags |= AVFMT_FLAG_CUSTOM_IO;
  context_->io_open = &RefuseToOpen;
  context_->probesize = kProbeBytes;
  context_->max_analyze_duration = kProbeMicroseconds;
  context_->max_streams = kMaxStreams;
  AVDictionary* settings = nullptr;
  if (options.ignore_edits) av_dict_set(&settings, "ignore_editlist", "1", 0);
  int result = avformat_open_input(&context_, nullptr, demuxer, &settings);
  av_dict_free(&settings);
  if (result >= 0) result = avformat_find_stream_info(context_, nullptr);
  if (result >= 0) return absl::OkStatus();
  if (result == AVERROR(ENOMEM)) return FfmpegStatus(result);
  return audio::CorruptAudio(
      absl::StrCat("The ", container, " file cannot be opened: ", FfmpegError(result), "."));
}

FfmpegInput::~FfmpegInput() {
  avformat_close_input(&context_);
  if (io_ != nullptr) av_freep(&io_->buffer);
  avio_context_free(&io_);
}

int FfmpegInput::Read(void* self, uint8_t* buffer, int count) {
  auto* input = static_cast<FfmpegInput*>(self);
  const auto got = input->file_->ReadAt(input->position_, reinterpret_cast<char*>(buffer), count);
  if (!got.ok()) return AVERROR(EIO);
  if (*got == 0) return AVERROR_EOF;
  input->position_ += *got;
  return static_cast<int>(*got);
}

int64_t FfmpegInput::Seek(void* self, int64_t offset, int whence) {
  auto* input = static_cast<FfmpegInput*>(self);
  if ((whence & AVSEEK_SIZE) != 0) return input->size_;
  const int64_t target = audio::SeekTarget(input->position_, input->size_, offset, whence);
  if (target < 0) return AVERROR(EINVAL);
  return input->position_ = target;
}

}  // namespace unbraid::decode
