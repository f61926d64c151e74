#include "services/common/model/catalogue.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/base/status.h"
#include "services/common/base/utf8.h"
#include "services/common/store/files.h"

namespace unbraid::model {
namespace {

absl::StatusOr<std::vector<std::string>> PackageFolders(const std::string& folder) {
  const absl::StatusOr<std::vector<std::string>> names = store::ListFolder(folder);
  if (!names.ok()) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the folder of models: ", names.status().message(),
                     "; build it with models/build.sh"));
  }
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    if (name.front() == '.') continue;  // a builder's own, on its way to its place or out of it
    const std::string path = absl::StrCat(folder, "/", name);
    std::error_code ignored;  // an unreadable entry is no package
    if (std::filesystem::exists(absl::StrCat(path, "/model.json"), ignored)) found.push_back(path);
  }
  return found;
}

}  // namespace

absl::StatusOr<Catalogue> Catalogue::Load(const std::string& folder,
                                          const std::string& default_name) {
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> folders, PackageFolders(folder));
  std::vector<Package> packages;
  for (const std::string& path : folders) {
    UNBRAID_ASSIGN_OR_RETURN(Package package, LoadPackage(path));
    packages.push_back(std::move(package));
  }
  if (packages.empty()) {
    return absl::NotFoundError(absl::StrCat("no model package (a folder with a model.json) in ",
                                            folder, "; build one with models/build.sh"));
  }
  auto rank = [&](const Package& package) {
    return std::make_pair(package.name != default_name, package.name);
  };
  std::sort(packages.begin(), packages.end(),
            [&](const Package& a, const Package& b) { return rank(a) < rank(b); });
  return Catalogue(std::move(packages));
}

absl::StatusOr<const Package*> Catalogue::Find(const std::string& name) const {
  if (name.empty()) return &packages_.front();
  for (const Package& package : packages_) {
    if (package.name == name) return &package;
  }
  return base::Error(
      absl::StatusCode::kInvalidArgument, "UNKNOWN_MODEL",
      absl::StrCat("There is no model \"", base::Printable(name, 80), "\" here. There are: ",
                   absl::StrJoin(
                       packages_, ", ",
                       [](std::string* out, const Package& package) { out->append(package.name); }),
                   "."));
}

}  // namespace unbraid::model
