#include "services/common/base/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace unbraid::base {
namespace {

constexpr char kReasonUrl[] = "unbraid/reason";
constexpr char kFactPrefix[] = "unbraid/fact/";

}  // namespace

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view sentence,
                   const ErrorFacts& facts) {
  absl::Status status(code, sentence);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  for (const auto& [key, value] : facts) {
    status.SetPayload(absl::StrCat(kFactPrefix, key), absl::Cord(value));
  }
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  auto payload = status.GetPayload(kReasonUrl);
  return payload ? std::string(*payload) : std::string();
}

ErrorFacts FactsOf(const absl::Status& status) {
  ErrorFacts facts;
  status.ForEachPayload([&facts](absl::string_view url, const absl::Cord& value) {
    const absl::string_view prefix = kFactPrefix;
    if (url.substr(0, prefix.size()) != prefix) return;
    facts[std::string(url.substr(prefix.size()))] = std::string(value);
  });
  return facts;
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& value) {
    annotated.SetPayload(url, value);
  });
  return annotated;
}

}  // namespace unbraid::base
