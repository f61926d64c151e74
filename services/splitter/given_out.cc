#include "services/splitter/given_out.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::splitter {
namespace {

std::string PathIn(const std::string& folder) { return absl::StrCat(folder, "/given-out"); }

// "<separation> <attempt> <one digit for each chunk>"
std::string ToLine(const GivenOut& given_out) {
  std::string line = absl::StrCat(given_out.id.ToString(), " ", given_out.attempt, " ");
  for (const bool given : given_out.chunks) line += given ? '1' : '0';
  return line + "\n";
}

bool FromLine(absl::string_view line, GivenOut* given_out) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  int64_t id = 0;
  if (words.size() != 3 || !absl::SimpleAtoi(words[0], &id) ||
      !absl::SimpleAtoi(words[1], &given_out->attempt)) {
    return false;
  }
  given_out->id = base::SeparationId(id);
  given_out->chunks.clear();
  for (const char digit : words[2]) given_out->chunks.push_back(digit == '1');
  return true;
}

}  // namespace

absl::Status LeaveGivenOut(const std::string& folder, const std::vector<GivenOut>& all) {
  std::string text;
  for (const GivenOut& given_out : all) {
    if (!given_out.chunks.empty()) text += ToLine(given_out);
  }
  return store::WriteFileDurably(PathIn(folder), text);
}

absl::StatusOr<std::vector<GivenOut>> TakeGivenOut(const std::string& folder) {
  const absl::StatusOr<std::string> text = store::ReadSmallFile(PathIn(folder));
  if (absl::IsNotFound(text.status())) return std::vector<GivenOut>();
  // Gone first: what follows makes it untrue.
  UNBRAID_RETURN_IF_ERROR(store::RemoveAll(PathIn(folder)));
  UNBRAID_RETURN_IF_ERROR(text.status());
  std::vector<GivenOut> all;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    GivenOut given_out;
    if (FromLine(line, &given_out)) all.push_back(std::move(given_out));
  }
  return all;
}

}  // namespace unbraid::splitter
