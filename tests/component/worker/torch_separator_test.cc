#include "services/worker/torch/torch_separator.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>

#include "services/common/model/package.h"
#include "tests/component/worker/packages.h"
#include "tests/component/worker/separators.h"
#include "tests/support/temp_dir.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;

TEST_CASE("the passthrough package gives its fixed fractions, which add up to the input") {
  const model::Package package = PackageAt(ModelsFolder() + "/passthrough");
  const std::unique_ptr<Separator> separator = Load(package);
  CHECK(separator->geometry().window_frames == package.window_frames);
  CHECK(separator->geometry().channels == 2);
  CHECK(separator->geometry().stems == 4);
  const std::vector<float> window = Noise(separator->geometry().window_samples());
  std::vector<float> stems;
  REQUIRE(separator->Separate(window, AllStems(*separator), &stems).ok());
  REQUIRE(stems.size() == separator->geometry().output_samples());
  // Powers of two, so that no stem is rounded and their sum in double is the input itself.
  const std::vector<float> fractions = {0.5F, 0.25F, 0.125F, 0.125F};
  for (size_t i = 0; i < window.size(); ++i) {
    double sum = 0;
    for (size_t stem = 0; stem < fractions.size(); ++stem) {
      const float sample = stems[stem * window.size() + i];
      if (sample != window[i] * fractions[stem]) FAIL("stem " << stem << ", sample " << i);
      sum += static_cast<double>(sample);
    }
    if (sum != static_cast<double>(window[i])) FAIL("the sum, sample " << i);
  }
}

TEST_CASE("Case 26: the same window gives the same bits, in every call and batch") {
  const std::unique_ptr<Separator> separator = LoadTestModel("moody");
  const size_t size = separator->geometry().window_samples();
  const std::vector<float> three = Noise(3 * size);
  std::vector<float> together;
  REQUIRE(separator->Separate(three, AllStems(*separator), &together).ok());
  REQUIRE(together.size() == 3 * separator->geometry().output_samples());
  for (size_t i = 0; i < 3; ++i) {
    std::vector<float> alone;
    REQUIRE(separator
                ->Separate(absl::MakeConstSpan(three).subspan(i * size, size), AllStems(*separator),
                           &alone)
                .ok());
    CHECK(std::equal(alone.begin(), alone.end(),
                     together.begin() + static_cast<int64_t>(i * alone.size())));
  }
}

TEST_CASE("a mono model takes and gives one channel") {
  const std::unique_ptr<Separator> separator = LoadTestModel("mono");
  std::vector<float> stems;
  REQUIRE(separator->Separate(Noise(4096), AllStems(*separator), &stems).ok());
  CHECK(stems.size() == 2 * 4096);
}

TEST_CASE("what a model needs is measured, and does not depend on what was loaded before") {
  const Footprint heavy = LoadTestModel("heavy")->footprint();
  // 4 MB of parameters; a run makes two stems, and puts them into one tensor.
  CHECK(heavy.kept_bytes >= 4'000'000);
  CHECK(heavy.kept_bytes < 4'100'000);
  CHECK(heavy.working_bytes >= int64_t{4} * 2 * 2 * 4096 * 2);
  CHECK(heavy.working_bytes < 1'000'000);
  const Footprint heavier = LoadTestModel("heavier")->footprint();
  CHECK(heavier.kept_bytes == heavy.kept_bytes + 1'000'000);
  CHECK(heavier.working_bytes == heavy.working_bytes);
  CHECK(LoadTestModel("heavy")->footprint().total_bytes() == heavy.total_bytes());
}

TEST_CASE("denormal samples are flushed to zero") {
  const std::unique_ptr<Separator> separator = LoadTestModel("moody");
  const std::vector<float> window(separator->geometry().window_samples(),
                                  std::numeric_limits<float>::min());
  std::vector<float> stems;
  REQUIRE(separator->Separate(window, AllStems(*separator), &stems).ok());
  CHECK(stems[0] == 0.0F);
}

TEST_CASE("Case 30: a graph that is not the one the package names is never loaded") {
  const test_support::TempDir folder;
  const std::string copy = folder.path() + "/passthrough";
  std::filesystem::copy(ModelsFolder() + "/passthrough", copy);
  const model::Package package = PackageAt(copy);
  SECTION("tampered with") {
    std::fstream graph(copy + "/model.pt", std::ios::in | std::ios::out | std::ios::binary);
    graph.seekp(100);
    graph.put('\x7f');
  }
  SECTION("half downloaded") {
    std::filesystem::resize_file(copy + "/model.pt",
                                 std::filesystem::file_size(copy + "/model.pt") / 2);
  }
  const auto separator = TorchSeparator::Load(package, 1);
  CHECK(separator.status().code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(separator.status().message()),
             Contains("does not match the SHA-256 in model.json"));
}

TEST_CASE("a graph whose hash is right but which is none is refused") {
  const test_support::TempDir folder;
  std::ofstream(folder.path() + "/model.pt") << "abc";
  model::Package package = PackageAt(TestModelsFolder() + "/moody");
  package.graphs[0].path = folder.path() + "/model.pt";
  package.graphs[0].sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const auto separator = TorchSeparator::Load(package, 1);
  CHECK(separator.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(separator.status().message()), Contains(" cannot load it"));
}

TEST_CASE("a graph that gives something else than the package says is refused at once") {
  std::string name;
  std::string words;
  SECTION("another length") {
    name = "wrong_shape";
    words =
        "the model gave Float of shape [1, 2, 2, 4095]; the package says Float of shape [1, 2, "
        "2, 4096]";
  }
  SECTION("one stem too few, in the second of two graphs") {
    name = "few_stems";
    words =
        "b.pt: the model gave Float of shape [1, 1, 2, 4096]; the package says Float of shape [1, "
        "2";
  }
  SECTION("no tensor") {
    name = "no_tensor";
    words = "the model gave a Tuple instead of a tensor";
  }
  const auto separator = TorchSeparator::Load(PackageAt(TestModelsFolder() + "/" + name), 1);
  CHECK(separator.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(separator.status().message()), Contains(words));
}

TEST_CASE("an exception in the model is an error with its words, and the model goes on") {
  const std::unique_ptr<Separator> separator = LoadTestModel("moody");
  std::vector<float> window = Noise(separator->geometry().window_samples());
  window[0] = -8.0F;
  std::vector<float> stems;
  const absl::Status status = separator->Separate(window, AllStems(*separator), &stems);
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK_THAT(std::string(status.message()), Contains("this model is in a bad mood"));
  window[0] = 0.5F;
  CHECK(separator->Separate(window, AllStems(*separator), &stems).ok());
}

TEST_CASE("every stem of a package of several graphs comes from its own graph, in every batch") {
  const std::unique_ptr<Separator> separator = LoadTestModel("several");
  const size_t size = separator->geometry().window_samples();
  const std::vector<float> two = Noise(2 * size);
  std::vector<float> stems;
  REQUIRE(separator->Separate(two, AllStems(*separator), &stems).ok());
  REQUIRE(stems.size() == 2 * 3 * size);
  // The order of the package; the first graph also overwrites its input, which nobody else sees.
  const std::vector<float> factors = {0.25F, 4.0F, 0.75F};
  for (size_t i = 0; i < two.size(); ++i) {
    for (size_t stem = 0; stem < factors.size(); ++stem) {
      const float sample = stems[(i / size * 3 + stem) * size + i % size];
      if (sample != two[i] * factors[stem]) FAIL("stem " << stem << ", sample " << i);
    }
  }
}

TEST_CASE("windows that are tried again one by one are as they were, whatever the graph does") {
  const std::unique_ptr<Separator> separator = LoadTestModel("overwriting");
  const std::vector<float> before = Noise(2 * separator->geometry().window_samples());
  std::vector<float> two = before;
  std::vector<float> stems;
  REQUIRE(separator->Separate(two, AllStems(*separator), &stems).ok());
  CHECK(stems[0] == before[0] * 4.0F);
  CHECK(two == before);
}

TEST_CASE("a graph is run only for a stem that it makes") {
  const std::unique_ptr<Separator> separator = LoadTestModel("several");
  std::vector<float> window = Noise(separator->geometry().window_samples());
  window[0] = -8.0F;  // the graph of the first and the last stem fails at this
  std::vector<float> stems;
  REQUIRE(separator->Separate(window, {1}, &stems).ok());
  CHECK(stems[window.size()] == -32.0F);
  for (const int wanted : {0, 2}) {
    const absl::Status status = separator->Separate(window, {1, wanted}, &stems);
    CHECK_THAT(std::string(status.message()), Contains("this model is in a bad mood"));
  }
}

TEST_CASE("of several graphs each must be the one that the package names, and all must be there") {
  const test_support::TempDir folder;
  const std::string copy = folder.path() + "/several";
  std::filesystem::copy(TestModelsFolder() + "/several", copy);
  const model::Package package = PackageAt(copy);
  SECTION("tampered with") {
    std::ofstream(copy + "/b.pt", std::ios::app) << "x";
    const absl::Status status = TorchSeparator::Load(package, 1).status();
    CHECK(status.code() == absl::StatusCode::kDataLoss);
    CHECK_THAT(std::string(status.message()), Contains("b.pt does not match the SHA-256"));
  }
  SECTION("missing") {
    std::filesystem::remove(copy + "/b.pt");
    const absl::Status status = TorchSeparator::Load(package, 1).status();
    CHECK(status.code() == absl::StatusCode::kNotFound);
    CHECK_THAT(std::string(status.message()), Contains("b.pt"));
  }
}

TEST_CASE("half a window is refused") {
  const std::unique_ptr<Separator> separator = LoadTestModel("moody");
  std::vector<float> stems;
  const absl::Status status = separator->Separate(Noise(4096), AllStems(*separator), &stems);
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK_THAT(std::string(status.message()), Contains("no whole windows of 2 x 4096"));
}

}  // namespace
}  // namespace unbraid::worker
