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
  if (package.sample_rate_hz < kMinRate || package.sample_rate_hz > kMaxRate) {
    return Wrong("sample_rate", "must be 8000 to 192000");
  }
  if (package.channels != 1 && package.channels != 2) return Wrong("channels", "must be 1 or 2");
  if (package.window_frames < 2 || package.window_frames > kMaxWindowFrames) {
    return Wrong("window", absl::StrCat("must be 2 to ", kMaxWindowFrames));
  }
  if (package.overlap_frames < 0 || package.overlap_frames > package.window_frames / 2) {
    return Wrong("overlap", "must be 0 to half of the window");
  }
  return CheckStems(package.stems);
}

absl::StatusOr<Package> FromJson(const Json& json, const std::string& folder) {
  if (json.at("format").get<int>() != kFormat) return Wrong("format", "must be 1");
  Package package;
  package.name = json.at("name").get<std::string>();
  package.version = json.at("version").get<std::string>();
  package.title = json.at("title").get<std::string>();
  const auto graph_file = json.at("graph").at("file").get<std::string>();
  package.graph_path = absl::StrCat(folder, "/", graph_file);
  package.graph_sha256 = json.at("graph").at("sha256").get<std::string>();
  package.sample_rate_hz = json.at("sample_rate").get<int>();
  package.channels = json.at("channels").get<int>();
  package.window_frames = json.at("window").get<int64_t>();
  package.overlap_frames = json.at("overlap").get<int64_t>();
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
