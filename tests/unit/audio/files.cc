#include "tests/unit/audio/files.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "services/common/audio/decoder.h"
#include "services/common/base/status.h"

namespace unbraid::audio {
namespace {

constexpr double kTwoPi = 6.283185307179586;

bool IsInteger(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_ALAC_16:
      return true;
    default:
      return false;
  }
}

// The library scales floats by 127 or by 128, as the container happens to be; integers it keeps.
std::vector<int> AsIntegers(const std::vector<float>& samples) {
  constexpr double kFull = 2147483648.0;
  std::vector<int> integers;
  for (float sample : samples) {
    integers.push_back(
        static_cast<int>(std::clamp(std::nearbyint(sample * kFull), -kFull, kFull - 1)));
  }
  return integers;
}

uint32_t NextRandom(uint32_t* state) { return *state = *state * 1664525U + 1013904223U; }

}  // namespace

std::vector<float> Noise(int64_t count, float amplitude, uint32_t seed) {
  std::vector<float> samples(static_cast<size_t>(count));
  for (float& sample : samples) {
    const auto unit = static_cast<float>(NextRandom(&seed) >> 8) / 8388608.0F - 1.0F;
    sample = unit * amplitude;
  }
  return samples;
}

std::vector<float> Sine(int64_t frames, int channels, double frequency_hz, int rate_hz,
                        double amplitude) {
  std::vector<float> samples;
  for (int64_t i = 0; i < frames; ++i) {
    const double phase = kTwoPi * frequency_hz * static_cast<double>(i) / rate_hz;
    samples.insert(samples.end(), static_cast<size_t>(channels),
                   static_cast<float>(amplitude * std::sin(phase)));
  }
  return samples;
}

std::vector<float> ExactIntegers(int64_t count, int bits) {
  const auto full = static_cast<float>(std::ldexp(1.0, bits - 1));
  std::vector<float> samples = {-1.0F, (full - 1) / full, 0.0F, 1 / full, -1 / full};
  uint32_t state = 7;
  while (static_cast<int64_t>(samples.size()) < count) {
    const auto value = static_cast<int32_t>(NextRandom(&state)) >> (32 - bits);
    samples.push_back(static_cast<float>(value) / full);
  }
  samples.resize(static_cast<size_t>(count));
  return samples;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteBytes(const std::string& path, absl::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string Patched(std::string bytes, size_t at, absl::string_view with) {
  return bytes.replace(at, with.size(), std::string(with));
}

std::string Le32(uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
  return bytes;
}

std::string AudioFolder::Write(const std::string& name, int format, int rate_hz, int channels,
                               const std::vector<float>& samples,
                               const std::vector<int>& map) const {
  SF_INFO info{};
  info.format = format;
  info.samplerate = rate_hz;
  info.channels = channels;
  SNDFILE* file = sf_open(Path(name).c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(sf_strerror(nullptr));
  sf_command(file, SFC_SET_CLIPPING, nullptr, SF_TRUE);
  std::vector<int> copy = map;
  if (!map.empty()) {
    sf_command(file, SFC_SET_CHANNEL_MAP_INFO, copy.data(),
               static_cast<int>(copy.size() * sizeof(int)));
  }
  const auto frames = static_cast<sf_count_t>(samples.size()) / channels;
  if (IsInteger(format)) {
    sf_writef_int(file, AsIntegers(samples).data(), frames);
  } else {
    sf_writef_float(file, samples.data(), frames);
  }
  sf_close(file);
  return Path(name);
}

std::string AudioFolder::Write(const std::string& name, absl::string_view bytes) const {
  WriteBytes(Path(name), bytes);
  return Path(name);
}

absl::StatusOr<Decoded> DecodeAll(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(const std::unique_ptr<Decoder> decoder, Decoder::Open(path));
  constexpr int64_t kBlockFrames = 1013;
  Decoded decoded;
  decoded.format = decoder->format();
  std::vector<float> block(static_cast<size_t>(kBlockFrames * decoded.format.channels));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, decoder->Read(block.data(), kBlockFrames));
    if (got == 0) return decoded;
    decoded.samples.insert(decoded.samples.end(), block.begin(),
                           block.begin() + got * decoded.format.channels);
  }
}

std::vector<float> SndfileDecode(const std::string& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  if (file == nullptr) throw std::runtime_error(sf_strerror(nullptr));
  std::vector<float> samples(static_cast<size_t>(info.frames * info.channels));
  const sf_count_t got = sf_readf_float(file, samples.data(), info.frames);
  samples.resize(static_cast<size_t>(got * info.channels));
  sf_close(file);
  return samples;
}

std::string Difference(const std::vector<float>& got, const std::vector<float>& wanted) {
  const size_t both = std::min(got.size(), wanted.size());
  for (size_t i = 0; i < both; ++i) {
    if (got[i] != wanted[i]) {
      return absl::StrCat("sample ", i, " is ", got[i], " instead of ", wanted[i]);
    }
  }
  if (got.size() == wanted.size()) return "";
  return absl::StrCat(got.size(), " samples instead of ", wanted.size());
}

std::string Refusal(const absl::Status& status) {
  if (status.ok()) return "OK";
  if (status.code() != absl::StatusCode::kInvalidArgument) return status.ToString();
  return absl::StrCat(base::ReasonOf(status), ": ", std::string(status.message()));
}

}  // namespace unbraid::audio
