#include "clients/cli/mix_option.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace unbraid::cli {

absl::StatusOr<std::map<std::string, double>> ParseMix(absl::string_view text) {
  std::map<std::string, double> gains;
  if (text.empty()) return gains;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    double gain = 0;
    if (pair.first.empty() || !absl::SimpleAtod(pair.second, &gain) || !std::isfinite(gain)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", part, "\" is not of the form STEM=GAIN, for example vocals=0"));
    }
    if (!gains.emplace(std::string(pair.first), gain).second) {
      return absl::InvalidArgumentError(absl::StrCat("\"", pair.first, "\" is named twice"));
    }
  }
  return gains;
}

}  // namespace unbraid::cli
