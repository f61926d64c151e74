#ifndef UNBRAID_TESTS_UNIT_MODEL_PACKAGE_FOLDER_H_
#define UNBRAID_TESTS_UNIT_MODEL_PACKAGE_FOLDER_H_

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "services/common/base/sha256.h"

namespace unbraid::model {

inline constexpr char kGraph[] = "the bytes of a graph";

// The content of a right model.json.
inline nlohmann::json RightJson(const std::string& name) {
  return {{"format", 1},
          {"name", name},
          {"version", "1.0"},
          {"title", "A model"},
          {"graph", {{"file", "model.pt"}, {"sha256", base::ToHex(base::Sha256Of(kGraph))}}},
          {"sample_rate", 44100},
          {"channels", 2},
          {"window", 1000},
          {"overlap", 500},
          {"stems", {"vocals", "other"}},
          {"normalisation", "track"},
          {"licence", {{"weights", "MIT"}}},
          {"source", "a test"}};
}

// The content of a right model.json of two graphs, whose stems are not in the package's order.
inline nlohmann::json ManyGraphsJson(const std::string& name) {
  nlohmann::json json = RightJson(name);
  const std::string sha256 = json["graph"]["sha256"];
  json.erase("graph");
  json["format"] = 2;
  json["stems"] = {"drums", "bass", "vocals"};
  json["graphs"] = {{{"file", "a.pt"}, {"sha256", sha256}, {"stems", {"vocals", "drums"}}},
                    {{"file", "b.pt"}, {"sha256", sha256}, {"stems", {"bass"}}}};
  return json;
}

// Writes a package into parent/name; the path of the package.
inline std::string WritePackage(const std::string& parent, const std::string& name,
                                const nlohmann::json& json) {
  const std::string folder = parent + "/" + name;
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/model.json") << json;
  for (const char* file : {"/model.pt", "/a.pt", "/b.pt"}) std::ofstream(folder + file) << kGraph;
  return folder;
}

}  // namespace unbraid::model

#endif  // UNBRAID_TESTS_UNIT_MODEL_PACKAGE_FOLDER_H_
