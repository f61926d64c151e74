#include "services/worker/torch/torch_runtime.h"

#include <dlfcn.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "services/common/model/package.h"
#include "services/worker/torch/torch_separator.h"
#include "tests/component/worker/packages.h"

namespace unbraid::worker {
namespace {

// See KeepTensorMemory.
#ifndef __SANITIZE_ADDRESS__
int64_t PageFaults() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST_CASE("a window takes no memory anew from the system") {
  const auto package = model::LoadPackage(ModelsFolder() + "/passthrough");
  REQUIRE(package.ok());
  const auto separator = TorchSeparator::Load(*package, 1);
  REQUIRE(separator.ok());
  const std::vector<float> window((*separator)->geometry().window_samples(), 0.25F);
  std::vector<float> stems;
  REQUIRE((*separator)->Separate(window, {0, 1, 2, 3}, &stems).ok());
  const int64_t before = PageFaults();
  for (int i = 0; i < 5; ++i) REQUIRE((*separator)->Separate(window, {0, 1, 2, 3}, &stems).ok());
  // The stems alone are 2,000 pages for each window.
  CHECK(PageFaults() - before < 500);
}
#endif

// Upstream's libtorch has MKL inside, which obeys it.
#ifdef UNBRAID_EXPECTS_OPENBLAS
TEST_CASE("the BLAS library uses as many threads as the model may") {
  const auto threads = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  REQUIRE(threads != nullptr);
  for (const int wanted : {2, 1}) {
    REQUIRE(PrepareTorchThread(wanted).ok());
    CHECK(threads() == wanted);
  }
}
#endif

}  // namespace
}  // namespace unbraid::worker
