#ifndef UNBRAID_SERVICES_COMMON_MODEL_CATALOGUE_H_
#define UNBRAID_SERVICES_COMMON_MODEL_CATALOGUE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/common/model/package.h"

namespace unbraid::model {

// The name of the model that is used when none is named, unless a flag says otherwise.
inline constexpr char kDefaultModel[] = "unbraid-4";

// The operator's folder of model packages, as it was at start. Immutable, so thread-safe.
class Catalogue {
 public:
  // Reads every sub-folder that holds a model.json. `default_name` need not be there: then the
  // first by name is the default. INVALID_ARGUMENT when a package is malformed, NOT_FOUND when
  // there is none at all.
  static absl::StatusOr<Catalogue> Load(const std::string& folder,
                                        const std::string& default_name = kDefaultModel);

  // The packages: the default first, then by name.
  const std::vector<Package>& packages() const { return packages_; }
  const Package& default_package() const { return packages_.front(); }

  // An empty name means the default. INVALID_ARGUMENT (UNKNOWN_MODEL), listing what there is. The
  // pointer lives as long as the catalogue.
  absl::StatusOr<const Package*> Find(const std::string& name) const;

 private:
  explicit Catalogue(std::vector<Package> packages) : packages_(std::move(packages)) {}

  std::vector<Package> packages_;
};

}  // namespace unbraid::model

#endif  // UNBRAID_SERVICES_COMMON_MODEL_CATALOGUE_H_
