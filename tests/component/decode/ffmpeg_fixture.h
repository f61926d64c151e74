#ifndef UNBRAID_TESTS_COMPONENT_DECODE_FFMPEG_FIXTURE_H_
#define UNBRAID_TESTS_COMPONENT_DECODE_FFMPEG_FIXTURE_H_

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "services/common/base/status.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "tests/support/child_process.h"
#include "tests/unit/audio/files.h"

namespace unbraid::decode {

// Makes files with the command `ffmpeg`, and decodes them in the child.
class FfmpegTest {
 protected:
  // Encodes `samples` into the file `name`.
  std::string Encode(const std::string& name, const std::vector<float>& samples, int rate_hz,
                     int channels, std::vector<std::string> options) {
    const std::string source =
        folder_.Write("source.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate_hz, channels, samples);
    std::vector<std::string> command = {"ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {"-strict", "-2", folder_.Path(name)});
    const auto output = test_support::RunToEnd({command, {}, ""}, absl::Seconds(60));
    INFO(output.status());
    REQUIRE(output.ok());
    return folder_.Path(name);
  }

  absl::StatusOr<std::vector<float>> Decode(const std::string& path) {
    SandboxOptions sandbox;
    sandbox.program = UNBRAID_DECODER;
    UNBRAID_ASSIGN_OR_RETURN(decoder_, SandboxedDecoder::Open(path, {}, sandbox));
    std::vector<float> samples;
    std::vector<float> block(4096 * static_cast<size_t>(decoder_->format().channels));
    while (true) {
      UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoder_->Read(block.data(), 4096));
      if (got == 0) return samples;
      samples.insert(samples.end(), block.begin(),
                     block.begin() + got * decoder_->format().channels);
    }
  }

  const audio::TrackFormat& format() const { return decoder_->format(); }

  audio::AudioFolder folder_;
  std::unique_ptr<SandboxedDecoder> decoder_;
};

}  // namespace unbraid::decode

#endif  // UNBRAID_TESTS_COMPONENT_DECODE_FFMPEG_FIXTURE_H_
