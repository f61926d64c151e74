#include "services/common/decode/child.h"

#include <new>
#include <utility>
#include <vector>

#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/decode/message_pipe.h"
#include "unbraid/internal/v1/decoder.pb.h"

namespace unbraid::decode {
namespace {

using internal::v1::DecoderMessage;

constexpr int64_t kPartBytes = kMaxMessageBytes / 4;

DecoderMessage FormatMessage(const audio::AudioReader& reader) {
  DecoderMessage message;
  internal::v1::DecodedFormat* format = message.mutable_format();
  format->set_container(reader.format().container);
  format->set_codec(reader.format().codec);
  format->set_sample_format(static_cast<int>(reader.format().sample_format));
  format->set_rate_hz(reader.format().rate_hz);
  for (const audio::Speaker speaker : reader.speakers()) {
    format->add_speakers(static_cast<int>(speaker));
  }
  format->set_title(reader.tags().title);
  format->set_artist(reader.tags().artist);
  format->set_album(reader.tags().album);
  return message;
}

DecoderMessage FailureMessage(const absl::Status& status) {
  DecoderMessage message;
  message.mutable_failure()->set_code(static_cast<int>(status.code()));
  message.mutable_failure()->set_reason(base::ReasonOf(status));
  message.mutable_failure()->set_message(std::string(status.message()));
  return message;
}

// The next message of an open file. Sets `last` with the last one.
DecoderMessage NextMessage(audio::AudioReader* reader, std::vector<float>* block, bool* last) {
  const auto channels = static_cast<int64_t>(reader->format().channels);
  const int64_t frames = kPartBytes / static_cast<int64_t>(sizeof(float)) / channels;
  block->resize(static_cast<size_t>(frames * channels));
  const absl::StatusOr<int64_t> got = reader->Read(block->data(), frames);
  *last = !got.ok() || *got == 0;
  if (!got.ok()) return FailureMessage(got.status());
  DecoderMessage message;
  if (*got > 0) {
    message.set_samples(std::string(audio::AsBytes(block->data(), *got * channels)));
  } else {
    message.mutable_end()->set_frames(reader->position());
    message.mutable_end()->set_silenced_samples(reader->silenced_samples());
  }
  return message;
}

absl::Status Decode(int pipe, store::File file, const audio::DecodeOptions& options,
                    const audio::ForeignDecoder& foreign) {
  const auto decoder = audio::Decoder::Open(std::move(file), options, foreign);
  if (!decoder.ok()) return WriteMessage(pipe, FailureMessage(decoder.status()));
  UNBRAID_RETURN_IF_ERROR(WriteMessage(pipe, FormatMessage(**decoder)));
  std::vector<float> block;
  for (bool last = false; !last;) {
    UNBRAID_RETURN_IF_ERROR(WriteMessage(pipe, NextMessage(decoder->get(), &block, &last)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DecodeInto(int pipe, store::File file, const audio::DecodeOptions& options,
                        const audio::ForeignDecoder& foreign) {
  try {
    return Decode(pipe, std::move(file), options, foreign);
  } catch (const std::bad_alloc&) {
    return WriteMessage(pipe, FailureMessage(base::Error(
                                  absl::StatusCode::kInvalidArgument, "DECODER_LIMIT",
                                  "Decoding this file takes more memory than is allowed. Convert "
                                  "it to WAV or FLAC first.")));
  }
}

}  // namespace unbraid::decode
