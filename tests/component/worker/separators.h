#ifndef UNBRAID_TESTS_COMPONENT_WORKER_SEPARATORS_H_
#define UNBRAID_TESTS_COMPONENT_WORKER_SEPARATORS_H_

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "services/common/model/package.h"
#include "services/worker/torch/torch_separator.h"
#include "tests/component/worker/packages.h"

namespace unbraid::worker {

inline model::Package PackageAt(const std::string& folder) {
  const absl::StatusOr<model::Package> package = model::LoadPackage(folder);
  INFO(package.status());
  REQUIRE(package.ok());
  return *package;
}

inline model::Package TestPackage(const std::string& name) {
  return PackageAt(TestModelsFolder() + "/" + name);
}

inline std::unique_ptr<Separator> Load(const model::Package& package) {
  absl::StatusOr<std::unique_ptr<Separator>> separator = TorchSeparator::Load(package, 1);
  INFO(separator.status());
  REQUIRE(separator.ok());
  return *std::move(separator);
}

inline std::unique_ptr<Separator> LoadTestModel(const std::string& name) {
  return Load(TestPackage(name));
}

inline std::vector<float> Noise(size_t count, uint32_t seed = 1) {
  std::vector<float> samples(count);
  for (float& sample : samples) {
    seed = seed * 1664525U + 1013904223U;
    sample = static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-31F;
  }
  return samples;
}

inline std::vector<int> AllStems(const Geometry& geometry) {
  std::vector<int> all(static_cast<size_t>(geometry.stems));
  std::iota(all.begin(), all.end(), 0);
  return all;
}
inline std::vector<int> AllStems(const Separator& separator) {
  return AllStems(separator.geometry());
}

}  // namespace unbraid::worker

#endif  // UNBRAID_TESTS_COMPONENT_WORKER_SEPARATORS_H_
