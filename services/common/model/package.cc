#include "services/common/model/package.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::model {
namespace {

using Json = nlohmann::json;

constexpr int kOneGraph = 1;    // format 1: "graph", which makes all stems
constexpr int kManyGraphs = 2;  // format 2: "graphs", each with the stems that it makes
constexpr size_t kHexDigits = 64;
// 16 MiB of float32 stereo, the largest AMQP message, less what a message says besides: 8 KiB.
constexpr int64_t kMaxWindowFrames = (1 << 21) - 1024;
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

// The file of a graph; `field` is the name of its entry.
absl::StatusOr<Graph> GraphAt(const Json& json, const std::string& field,
                              const std::string& folder) {
  const auto file = json.at("file").get<std::string>();
  if (file.find('/') != std::string::npos || file.empty()) {
    return Wrong(field + ".file", "must be a file in the package's own folder");
  }
  Graph graph;
  graph.path = absl::StrCat(folder, "/", file);
  graph.sha256 = json.at("sha256").get<std::string>();
  if (graph.sha256.size() != kHexDigits) {
    return Wrong(field + ".sha256", "must be 64 hexadecimal digits");
  }
  return graph;
}

absl::StatusOr<std::vector<Graph>> OneGraph(const Json& json, const Package& package,
                                            const std::string& folder) {
  UNBRAID_ASSIGN_OR_RETURN(Graph graph, GraphAt(json.at("graph"), "graph", folder));
  graph.stems.resize(package.stems.size());
  std::iota(graph.stems.begin(), graph.stems.end(), 0);
  return std::vector<Graph>{std::move(graph)};
}

// Adds to `graph` the stems that its entry names. `made`: what it and those before it make.
absl::Status AddStems(const std::vector<std::string>& names, const std::string& field,
                      const Package& package, Graph* graph, std::set<int>* made) {
  if (names.empty()) return Wrong(field, "must name a stem");
  for (const std::string& name : names) {
    const int stem = package.StemIndex(name);
    if (stem < 0) return Wrong(field, absl::StrCat("names ", name, ", which is not in \"stems\""));
    if (!made->insert(stem).second) {
      return Wrong(field, absl::StrCat("names ", name, ", which a graph makes already"));
    }
    graph->stems.push_back(stem);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Graph>> ManyGraphs(const Json& json, const Package& package,
                                              const std::string& folder) {
  const Json& entries = json.at("graphs");
  if (!entries.is_array()) return Wrong("graphs", "must be a list");
  std::vector<Graph> graphs;
  std::set<int> made;
  std::set<std::string> paths;
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string field = absl::StrCat("graphs[", i, "]");
    UNBRAID_ASSIGN_OR_RETURN(Graph graph, GraphAt(entries[i], field, folder));
    if (!paths.insert(graph.path).second) {
      return Wrong(field + ".file", "must not be the file of another graph");
    }
    UNBRAID_RETURN_IF_ERROR(AddStems(entries[i].at("stems").get<std::vector<std::string>>(),
                                     field + ".stems", package, &graph, &made));
    graphs.push_back(std::move(graph));
  }
  for (size_t i = 0; i < package.stems.size(); ++i) {
    if (made.count(static_cast<int>(i)) == 0) {
      return Wrong("graphs", absl::StrCat("must make every stem; none makes ", package.stems[i]));
    }
  }
  return graphs;
}

absl::StatusOr<Package> FromJson(const Json& json, const std::string& folder) {
  UNBRAID_ASSIGN_OR_RETURN(const int64_t format, NumberAt(json, "format", kOneGraph, kManyGraphs));
  Package package;
  package.name = json.at("name").get<std::string>();
  package.version = json.at("version").get<std::string>();
  package.title = json.at("title").get<std::string>();
  if (!IsPlainName(package.name)) return Wrong("name", "must be 1 to 64 of a-z, 0-9, - and _");
  UNBRAID_ASSIGN_OR_RETURN(const int64_t rate, NumberAt(json, "sample_rate", kMinRate, kMaxRate));
  package.sample_rate_hz = static_cast<int>(rate);
  UNBRAID_ASSIGN_OR_RETURN(const int64_t channels, NumberAt(json, "channels", 1, kMaxChannels));
  package.channels = static_cast<int>(channels);
  UNBRAID_ASSIGN_OR_RETURN(package.window_frames, NumberAt(json, "window", 2, kMaxWindowFrames));
  UNBRAID_ASSIGN_OR_RETURN(package.overlap_frames,
                           NumberAt(json, "overlap", 0, package.window_frames / 2));
  package.stems = json.at("stems").get<std::vector<std::string>>();
  UNBRAID_RETURN_IF_ERROR(CheckStems(package.stems));
  UNBRAID_ASSIGN_OR_RETURN(package.graphs, format == kOneGraph ? OneGraph(json, package, folder)
                                                               : ManyGraphs(json, package, folder));
  package.licence = json.at("licence").at("weights").get<std::string>();
  package.source = json.at("source").get<std::string>();
  package.min_libtorch = json.value("min_libtorch", "");
  const auto normalisation = json.at("normalisation").get<std::string>();
  if (normalisation != "none" && normalisation != "track") {
    return Wrong("normalisation", "must be \"none\" or \"track\"");
  }
  package.normalisation = normalisation == "track" ? Normalisation::kTrack : Normalisation::kNone;
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

absl::Status VerifyGraphs(const Package& package) {
  for (const Graph& graph : package.graphs) {
    UNBRAID_ASSIGN_OR_RETURN(const base::Sha256Digest digest, base::Sha256OfFile(graph.path));
    if (base::ToHex(digest) == graph.sha256) continue;
    return absl::DataLossError(
        absl::StrCat(graph.path, " does not match the SHA-256 in model.json (", base::ToHex(digest),
                     " instead of ", graph.sha256, "); build or copy the package again"));
  }
  return absl::OkStatus();
}

}  // namespace unbraid::model
