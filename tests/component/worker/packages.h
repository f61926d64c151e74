#ifndef UNBRAID_TESTS_COMPONENT_WORKER_PACKAGES_H_
#define UNBRAID_TESTS_COMPONENT_WORKER_PACKAGES_H_

#include <cstdlib>
#include <string>

namespace unbraid::worker {

// Folder of the packages that models/build.sh builds: UNBRAID_MODELS, or the build tree's.
inline std::string ModelsFolder() {
  const char* named = std::getenv("UNBRAID_MODELS");
  return named != nullptr ? named : UNBRAID_BUILT_MODELS;
}

// Folder of the packages that make_packages.py builds.
inline std::string TestModelsFolder() { return UNBRAID_TEST_MODELS; }

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_COMPONENT_WORKER_PACKAGES_H_
