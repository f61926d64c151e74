#include "services/common/decode/mp4_length.h"

#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace unbraid::decode {

int64_t ExactMp4Frames(const Mp4Lengths& lengths) {
  // Damaged files have lengths of any kind; without negative ones nothing below overflows.
  if (lengths.edited < 0 || lengths.media < 0 || lengths.priming < 0) return lengths.edited;
  const int64_t whole = lengths.media - lengths.priming;
  const bool agree = whole > 0 && std::abs(whole - lengths.edited) <= lengths.tick;
  return agree ? whole : lengths.edited;
}

std::optional<int64_t> FramesOfItunesTag(absl::string_view tag, const Mp4Lengths& lengths) {
  constexpr size_t kFramesField = 3;
  constexpr int64_t kMostPadding = 4096;
  const std::vector<absl::string_view> fields = absl::StrSplit(tag, ' ', absl::SkipEmpty());
  int64_t frames = 0;
  if (fields.size() <= kFramesField || !absl::SimpleHexAtoi(fields[kFramesField], &frames) ||
      frames <= 0) {
    return std::nullopt;
  }
  if (lengths.media < 0 || lengths.priming < 0) return std::nullopt;
  const int64_t whole = lengths.media - lengths.priming;
  if (frames > whole || whole - frames > kMostPadding) return std::nullopt;
  return frames;
}

}  // namespace unbraid::decode
