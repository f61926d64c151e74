#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "services/common/base/status.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "tests/unit/audio/files.h"

namespace unbraid::decode {
namespace {

using audio::AudioFolder;

SandboxOptions Sandbox() {
  SandboxOptions sandbox;
  sandbox.program = UNBRAID_DECODER;
  return sandbox;
}

struct Decoded {
  std::unique_ptr<SandboxedDecoder> decoder;
  std::vector<float> samples;
};

absl::StatusOr<Decoded> DecodeAll(const std::string& path, const audio::DecodeOptions& options) {
  Decoded decoded;
  UNBRAID_ASSIGN_OR_RETURN(decoded.decoder, SandboxedDecoder::Open(path, options, Sandbox()));
  const auto channels = static_cast<size_t>(decoded.decoder->format().channels);
  constexpr int64_t kFrames = 7'777;  // no divisor of what the child sends
  std::vector<float> block(kFrames * channels);
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoded.decoder->Read(block.data(), kFrames));
    if (got == 0) return decoded;
    decoded.samples.insert(decoded.samples.end(), block.begin(),
                           block.begin() + got * static_cast<int64_t>(channels));
  }
}

TEST_CASE("a file decodes in the child to the same samples as in this process") {
  const AudioFolder folder;
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_FLOAT,
                           SF_FORMAT_FLAC | SF_FORMAT_PCM_24, SF_FORMAT_AIFF | SF_FORMAT_PCM_24,
                           SF_FORMAT_CAF | SF_FORMAT_PCM_32, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
                           SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}) {
    CAPTURE(format);
    const std::string path = folder.Write("file", format, 44'100, 2, audio::Noise(2 * 100'003));
    const auto decoded = DecodeAll(path, {});
    REQUIRE(decoded.status() == absl::OkStatus());
    const auto wanted = audio::DecodeAll(path);
    REQUIRE(wanted.ok());
    CHECK(audio::Difference(decoded->samples, wanted->samples) == "");
    CHECK(decoded->decoder->format().codec == wanted->format.codec);
    CHECK(decoded->decoder->format().sample_format == wanted->format.sample_format);
    CHECK(decoded->decoder->position() == wanted->frames());
  }
}

TEST_CASE("speakers and tags come through") {
  const AudioFolder folder;
  const std::string path =
      folder.Write("six", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48'000, 6, audio::Noise(6 * 1'000));
  const auto six = DecodeAll(path, {});
  REQUIRE(six.ok());
  CHECK(six->decoder->speakers() == audio::UsualSpeakers(6));

  SF_INFO info{};
  info.samplerate = 44'100;
  info.channels = 1;
  info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  SNDFILE* file = sf_open(folder.Path("tagged").c_str(), SFM_WRITE, &info);
  sf_set_string(file, SF_STR_TITLE, "絆\n  Song ");
  sf_set_string(file, SF_STR_ARTIST, "ó ű");
  const std::vector<float> samples = audio::Noise(1'000);
  sf_writef_float(file, samples.data(), 1'000);
  sf_close(file);
  const auto tagged = DecodeAll(folder.Path("tagged"), {});
  REQUIRE(tagged.ok());
  CHECK(tagged->decoder->tags().title == "絆   Song");
  CHECK(tagged->decoder->tags().artist == "ó ű");
  CHECK(tagged->decoder->tags().album.empty());
}

TEST_CASE("Case 33: the child's refusals are the parent's") {
  const AudioFolder folder;
  for (const auto& [bytes, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "EMPTY_FILE"}, {"words", "UNKNOWN_FORMAT"}, {"MThd1234", "NO_DECODER"}}) {
    const auto status = DecodeAll(folder.Write("file", bytes), {}).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(base::ReasonOf(status) == reason);
  }
}

TEST_CASE("Case 35: too long is known from decoding, with the limit in minutes") {
  const AudioFolder folder;
  const std::string path = folder.Write("long", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8'000, 1,
                                        std::vector<float>(500'000));
  audio::DecodeOptions options;
  options.max_duration = absl::Minutes(1);
  const auto status = DecodeAll(path, options).status();
  CHECK(absl::IsResourceExhausted(status));
  CHECK(base::FactsOf(status)["limit_minutes"] == "1");
}

TEST_CASE("Case 16: samples that are no numbers are refused with their time, or silenced") {
  const AudioFolder folder;
  std::vector<float> samples = audio::Noise(2 * 20'000);
  samples[2 * 12'000 + 1] = std::nanf("");
  samples[2 * 12'001] = INFINITY;
  const std::string path = folder.Write("nan", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8'000, 2, samples);
  const auto status = DecodeAll(path, {}).status();
  CHECK(base::ReasonOf(status) == "NON_FINITE_SAMPLE");
  CHECK(status.message().find("1.500 s (frame 12000)") != absl::string_view::npos);

  audio::DecodeOptions options;
  options.silence_non_finite = true;
  const auto silenced = DecodeAll(path, options);
  REQUIRE(silenced.ok());
  CHECK(silenced->decoder->silenced_samples() == 2);
  std::replace_if(
      samples.begin(), samples.end(), [](float value) { return !std::isfinite(value); }, 0.0F);
  CHECK(audio::Difference(silenced->samples, samples) == "");
}

TEST_CASE("a decoder that is dropped half-way ends its child") {
  const AudioFolder folder;
  const std::string path =
      folder.Write("file", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44'100, 2, audio::Noise(2 * 2'000'000));
  auto decoder = SandboxedDecoder::Open(path, {}, Sandbox());
  REQUIRE(decoder.ok());
  std::vector<float> block(200);
  REQUIRE((*decoder)->Read(block.data(), 100).value() == 100);
  decoder->reset();  // hangs if the child, whose pipe is full, is not ended
}

TEST_CASE("the program lists what it can decode") {
  const auto containers = AskForContainers(UNBRAID_DECODER);
  REQUIRE(containers.ok());
  for (const char* name : {"WAV", "FLAC", "OGG", "MP3"}) {
    CHECK(std::count(containers->begin(), containers->end(), name) == 1);
  }
}

}  // namespace
}  // namespace unbraid::decode
