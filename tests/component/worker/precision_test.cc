#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "services/worker/torch/autocast.h"
#include "services/worker/torch/torch_separator.h"
#include "tests/component/worker/packages.h"
#include "tests/component/worker/separators.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;

std::vector<float> Computed(const std::string& model, Precision precision) {
  const auto separator =
      TorchSeparator::Load(PackageAt(TestModelsFolder() + "/" + model), 1, precision);
  INFO(separator.status());
  REQUIRE(separator.ok());
  std::vector<float> stems;
  const std::vector<float> window = Noise((*separator)->geometry().window_samples());
  REQUIRE((*separator)->Separate(window, AllStems(**separator), &stems).ok());
  return stems;
}

TEST_CASE("float32 is always there") { CHECK(CheckPrecision(Precision::kFloat32).ok()); }

// Where it is there the result must be another one, and a near one; elsewhere there must be none.
TEST_CASE("bfloat16 is computed where it can be, and refused with a reason elsewhere") {
  const absl::Status possible = CheckPrecision(Precision::kBfloat16);
  if (!possible.ok()) {
    CHECK(possible.code() == absl::StatusCode::kFailedPrecondition);
    CHECK_THAT(std::string(possible.message()), Contains("take --precision f32"));
    const auto separator =
        TorchSeparator::Load(PackageAt(TestModelsFolder() + "/conv"), 1, Precision::kBfloat16);
    CHECK(separator.status() == possible);
    return;
  }
  const std::vector<float> exact = Computed("conv", Precision::kFloat32);
  const std::vector<float> rounded = Computed("conv", Precision::kBfloat16);
  CHECK(Computed("conv", Precision::kBfloat16) == rounded);
  double power = 0;
  double difference = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    power += std::pow(exact[i], 2);
    difference += std::pow(exact[i] - rounded[i], 2);
  }
  CHECK(difference > 0);
  CHECK(difference < power * 1e-4);  // bfloat16 has eight bits
}

}  // namespace
}  // namespace unbraid::worker
