#include "services/splitter/paging.h"

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/base/status.h"

namespace unbraid::splitter {
namespace {

constexpr int kDefaultPage = 50;
constexpr int kLargestPage = 1000;
constexpr char kPrefix[] = "before:";

}  // namespace

absl::StatusOr<int> PageSize(int32_t wanted) {
  if (wanted == 0) return kDefaultPage;
  if (wanted >= 1 && wanted <= kLargestPage) return wanted;
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_SIZE",
                     absl::StrCat("page_size is ", wanted, "; it must be 1 to ", kLargestPage,
                                  ", or 0 for ", kDefaultPage, "."));
}

std::string EncodePageToken(int64_t position) {
  return absl::WebSafeBase64Escape(absl::StrCat(kPrefix, position));
}

absl::StatusOr<int64_t> DecodePageToken(absl::string_view token) {
  std::string text;
  int64_t position = 0;
  if (absl::WebSafeBase64Unescape(token, &text)) {
    absl::string_view digits = text;
    if (absl::ConsumePrefix(&digits, kPrefix) && absl::SimpleAtoi(digits, &position) &&
        position > 0) {
      return position;
    }
  }
  return base::Error(absl::StatusCode::kInvalidArgument, "INVALID_PAGE_TOKEN",
                     "page_token is not one that this list gave; begin again without it.");
}

}  // namespace unbraid::splitter
