#include "services/common/model/package.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::model {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr size_t kHexDigits = 64;
constexpr int64_t kMaxWindowFrames = 1 << 21;  // 16 MiB of float32 stereo, the largest AMQP message
constexpr int kMinRate = 8'000;
constexpr int kMaxRate = 192'000;
constexpr int kMaxChannels = 2;

bool IsPlainName(const std::string& name) {
  constexpr size_t kMaxLength = 64;
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= kMaxLength && std::all_of(name.begin(), name.end(), plain);
}

absl::Status Wrong(absl::string_view field, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("model.json: \"", field, "\" ", rule));
}

// A whole number within bounds, the least of which is not negative. Looked at before it is
// narrowed: a fraction, or 2^32 + 2 channels, must not become what is allowed.
absl::StatusOr<int64_t> NumberAt(const Json& json, const char* field, int64_t least, int64_t most) {
  const Json& value = json.at(field);
  if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();  // negative where it is beyond int64
    if (number >= least && number <= most) return number;
  }
  return Wrong(field, absl::StrCat("must be a whole number, ", least, " to ", most));
}

absl::Status CheckStems(const std::vector<std::string>& stems) {
  const std::set<std::string> distinct(stems.begin(), stems.end());
  if (stems.empty() || distinct.size() != stems.size() || distinct.count("mix") > 0 ||
      distinct.count("residual") > 0 || !std::all_of(stems.begin(), stems.end(), IsPlainName)) {
    return Wrong(
        "stems",
        "must be distinct names of a-z, 0-9, - and _, none of them \"mix\" or \"residual\"");
  }
  return absl::OkStatus();
}

absl::Status Check(const Package& package, const std::string& graph_file) {
  if (!IsPlainName(package.name)) return Wrong("name", "must be 1 to 64 of a-z, 0-9, - and _");
  if (graph_file.find('/') != std::string::npos || graph_file.empty()) {
    return Wrong("graph.file", "must be a file in the package's own folder");
  }
  if (package.graph_sha256.size() != kHexDigits) {
    return Wrong("graph.sha256", "must be 64 hexadecimal digits");
  }
  return CheckStems(package.stems);
}

absl::StatusOr<Package> FromJson(const Json& json, const std::string& folder) {
  UNBRAID_RETURN_IF_ERROR(NumberAt(json, "format", kFormat, kFormat).status());
  Package package;
  package.name = json.at("name").get<std::string>();
  package.version = json.at("version").get<std::string>();
  package.title = json.at("title").get<std::string>();
  const auto graph_file = json.at("graph").at("file").get<std::string>();
  package.graph_path = absl::StrCat(folder, "/", graph_file);
  package.graph_sha256 = json.at("graph").at("sha256").get<std::string>();
  UNBRAID_ASSIGN_OR_RETURN(const int64_t rate, NumberAt(json, "sample_rate", kMinRate, kMaxRate));
  package.sample_rate_hz = static_cast<int>(rate);
  UNBRAID_ASSIGN_OR_RETURN(const int64_t channels, NumberAt(json, "channels", 1, kMaxChannels));
  package.channels = static_cast<int>(channels);
  UNBRAID_ASSIGN_OR_RETURN(package.window_frames, NumberAt(json, "window", 2, kMaxWindowFrames));
  UNBRAID_ASSIGN_OR_RETURN(package.overlap_frames,
                           NumberAt(json, "overlap", 0, package.window_frames / 2));
  package.stems = json.at("stems").get<std::vector<std::string>>();
  package.licence = json.at("licence").at("weights").get<std::string>();
  package.source = json.at("source").get<std::string>();
  const auto normalisation = json.at("normalisation").get<std::string>();
  if (normalisation != "none" && normalisation != "track") {
    return Wrong("normalisation", "must be \"none\" or \"track\"");
  }
  package.normalisation = normalisation == "track" ? Normalisation::kTrack : Normalisation::kNone;
  UNBRAID_RETURN_IF_ERROR(Check(package, graph_file));
  return package;
}

}  // namespace

int Package::StemIndex(const std::string& stem) const {
  const auto found = std::find(stems.begin(), stems.end(), stem);
  return found == stems.end() ? -1 : static_cast<int>(found - stems.begin());
}

absl::StatusOr<Package> LoadPackage(const std::string& folder) {
  UNBRAID_ASSIGN_OR_RETURN(const std::string text, store::ReadSmallFile(folder + "/model.json"));
  try {
    absl::StatusOr<Package> package = FromJson(Json::parse(text), folder);
    if (!package.ok()) return base::Annotate(package.status(), folder);
    if (std::filesystem::path(folder).filename() != package->name) {
      return absl::InvalidArgumentError(
          absl::StrCat(folder, ": the folder must bear the package's name, ", package->name));
    }
    package->sha256 = base::ToHex(base::Sha256Of(text));
    return package;
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(folder, "/model.json: ", error.what()));
  }
}

absl::Status VerifyGraph(const Package& package) {
  UNBRAID_ASSIGN_OR_RETURN(const base::Sha256Digest digest, base::Sha256OfFile(package.graph_path));
  if (base::ToHex(digest) == package.graph_sha256) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      package.graph_path, " does not match the SHA-256 in model.json (", base::ToHex(digest),
      " instead of ", package.graph_sha256, "); build or copy the package again"));
}

}  // namespace unbraid::model
