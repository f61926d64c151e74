#include <vorbis/vorbisenc.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/audio/append_file.h"
#include "services/common/audio/file_writer.h"
#include "services/common/audio/ogg_serial.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

// The library keeps what it is given at once in one buffer.
constexpr int64_t kStepFrames = 1'024;

// The parts of an encoder, which point at each other and therefore never move.
class VorbisState {
 public:
  static absl::StatusOr<std::unique_ptr<VorbisState>> Create(const FileSpec& spec) {
    auto state = std::make_unique<VorbisState>();
    const int failed = vorbis_encode_init_vbr(&state->info, spec.channels, spec.rate_hz,
                                              static_cast<float>(spec.format.quality.value_or(0)));
    if (failed != 0 || vorbis_analysis_init(&state->analysis, &state->info) != 0 ||
        vorbis_block_init(&state->analysis, &state->block) != 0 ||
        ogg_stream_init(&state->stream, kOggSerial) != 0) {
      return absl::InternalError(absl::StrCat("libvorbis cannot encode ", spec.rate_hz, " Hz"));
    }
    return state;
  }

  VorbisState() {
    vorbis_info_init(&info);
    vorbis_comment_init(&comment);
  }
  ~VorbisState() {
    ogg_stream_clear(&stream);
    vorbis_block_clear(&block);
    vorbis_dsp_clear(&analysis);
    vorbis_comment_clear(&comment);
    vorbis_info_clear(&info);
  }
  VorbisState(const VorbisState&) = delete;
  VorbisState& operator=(const VorbisState&) = delete;

  vorbis_info info{};
  vorbis_comment comment{};
  vorbis_dsp_state analysis{};
  vorbis_block block{};
  ogg_stream_state stream{};
};

class VorbisWriter : public LossyWriter {
 public:
  VorbisWriter(AppendFile file, std::unique_ptr<VorbisState> state, int channels)
      : file_(std::move(file)), state_(std::move(state)), channels_(channels) {}

  absl::Status WriteHeader(const OutputTags& tags) {
    for (const auto& [name, value] : TagFields(tags)) {
      vorbis_comment_add_tag(&state_->comment, name.c_str(), value.c_str());
    }
    ogg_packet packets[3];
    if (vorbis_analysis_headerout(&state_->analysis, &state_->comment, &packets[0], &packets[1],
                                  &packets[2]) != 0) {
      return absl::InternalError("libvorbis cannot make its header");
    }
    for (ogg_packet& packet : packets) ogg_stream_packetin(&state_->stream, &packet);
    // Audio begins on a page of its own.
    return WritePages(&ogg_stream_flush);
  }

  absl::Status WriteFloats(const float* interleaved, int64_t frames) override {
    while (frames > 0) {
      const int64_t step = std::min(frames, kStepFrames);
      float** planes = vorbis_analysis_buffer(&state_->analysis, static_cast<int>(step));
      for (int64_t i = 0; i < step * channels_; ++i) {
        planes[i % channels_][i / channels_] = interleaved[i];
      }
      UNBRAID_RETURN_IF_ERROR(Encode(step));
      interleaved += step * channels_;
      frames -= step;
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    // No more frames: the end. The last page tells the exact length.
    UNBRAID_RETURN_IF_ERROR(Encode(0));
    UNBRAID_RETURN_IF_ERROR(WritePages(&ogg_stream_flush));
    return file_.Close();
  }

 private:
  absl::Status Encode(int64_t frames) {
    vorbis_analysis_wrote(&state_->analysis, static_cast<int>(frames));
    while (vorbis_analysis_blockout(&state_->analysis, &state_->block) == 1) {
      if (vorbis_analysis(&state_->block, nullptr) != 0 ||
          vorbis_bitrate_addblock(&state_->block) != 0) {
        return absl::InternalError("libvorbis cannot encode a block");
      }
      ogg_packet packet;
      while (vorbis_bitrate_flushpacket(&state_->analysis, &packet) == 1) {
        ogg_stream_packetin(&state_->stream, &packet);
        // The first packet decodes to nothing; on a page of its own it tells that the time begins
        // at 0. ffmpeg cuts the end of a stream at its length only if there is a page before.
        UNBRAID_RETURN_IF_ERROR(WritePages(begun_ ? &ogg_stream_pageout : &ogg_stream_flush));
        begun_ = true;
      }
    }
    return absl::OkStatus();
  }

  absl::Status WritePages(int (*next)(ogg_stream_state*, ogg_page*)) {
    ogg_page page;
    while (next(&state_->stream, &page) != 0) {
      UNBRAID_RETURN_IF_ERROR(file_.Append(page.header, page.header_len));
      UNBRAID_RETURN_IF_ERROR(file_.Append(page.body, page.body_len));
    }
    return absl::OkStatus();
  }

  AppendFile file_;
  const std::unique_ptr<VorbisState> state_;
  const int channels_;
  bool begun_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FileWriter>> OpenVorbisWriter(const std::string& path,
                                                             const FileSpec& spec) {
  UNBRAID_ASSIGN_OR_RETURN(AppendFile file, AppendFile::Create(path));
  UNBRAID_ASSIGN_OR_RETURN(std::unique_ptr<VorbisState> state, VorbisState::Create(spec));
  auto writer = std::make_unique<VorbisWriter>(std::move(file), std::move(state), spec.channels);
  UNBRAID_RETURN_IF_ERROR(writer->WriteHeader(spec.tags));
  return writer;
}

}  // namespace unbraid::audio
