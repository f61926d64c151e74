#include "services/worker/model_shelf.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/worker/fake_separator.h"

namespace unbraid::worker {
namespace {

using Catch::Contains;

constexpr int64_t kMegabyte = 1'000'000;

// Knows what is in memory at any time.
struct Memory {
  std::map<std::string, int64_t> kept_bytes;
  int64_t most_bytes = 0;

  void Add(const std::string& name, int64_t bytes) {
    kept_bytes[name] = bytes;
    int64_t sum = 0;
    for (const auto& [other, kept] : kept_bytes) sum += kept;
    most_bytes = std::max(most_bytes, sum);
  }
};

class CountedSeparator : public FakeSeparator {
 public:
  CountedSeparator(const model::Package& package, const Footprint& footprint, Memory* memory)
      : FakeSeparator(SeparatorFor(package)), name_(package.name), memory_(memory) {
    needs = footprint;
    memory_->Add(name_, footprint.kept_bytes);
  }
  ~CountedSeparator() override { memory_->kept_bytes.erase(name_); }

 private:
  const std::string name_;
  Memory* const memory_;
};

// Models a, b and c, each of which keeps 100 MB and takes 40 MB more while it computes.
class ShelfTest {
 protected:
  ShelfTest() {
    for (size_t i = 0; i < packages_.size(); ++i) packages_[i].name = std::string(1, "abc"[i]);
  }

  std::unique_ptr<ModelShelf> Shelf(int64_t budget_mb) {
    return std::make_unique<ModelShelf>(
        ModelShelf::Options{"worker-1", budget_mb * kMegabyte},
        std::vector<const model::Package*>{&packages_[0], &packages_[1], &packages_[2]}, &watchdog_,
        &metrics_);
  }
  ExecutorFactory Factory() {
    return [this](const model::Package& package) -> absl::StatusOr<std::unique_ptr<Executor>> {
      if (!trouble_.ok()) return trouble_;
      order_ += package.name;
      return Inline(std::make_unique<CountedSeparator>(package, needs_[package.name], &memory_));
    };
  }

  std::vector<model::Package> packages_{3, FakePackage(2)};
  std::map<std::string, Footprint> needs_ = {{"a", {100 * kMegabyte, 40 * kMegabyte}},
                                             {"b", {100 * kMegabyte, 40 * kMegabyte}},
                                             {"c", {100 * kMegabyte, 40 * kMegabyte}}};
  absl::Status trouble_;
  std::string order_;  // in which models were loaded
  Memory memory_;
  Watchdog watchdog_{absl::Hours(1), [] {}};
  telemetry::Metrics figures_;
  WorkerMetrics metrics_{&figures_};
};

using Loaded = std::vector<bool>;

TEST_CASE_METHOD(ShelfTest, "without a budget every model is loaded once, and stays") {
  const auto shelf = Shelf(0);
  REQUIRE(shelf->LoadAll(Factory()).ok());
  for (const size_t model : {0, 1, 2, 0}) CHECK(shelf->Use(model).ok());
  CHECK(order_.size() == 3);
  CHECK(shelf->loaded() == Loaded{true, true, true});
}

TEST_CASE_METHOD(ShelfTest, "with a budget each is looked at alone, and the first one stays") {
  const auto shelf = Shelf(250);
  REQUIRE(shelf->LoadAll(Factory()).ok());
  CHECK(order_ == "cba");
  CHECK(memory_.most_bytes == 100 * kMegabyte);
  CHECK(shelf->loaded() == Loaded{true, false, false});
}

TEST_CASE_METHOD(ShelfTest,
                 "a model that takes too long to be loaded again is refused at the start") {
  Watchdog hasty(absl::Nanoseconds(1), [] {});
  const auto shelf = [&](int64_t budget_bytes) {
    return ModelShelf({"worker-1", budget_bytes}, {&packages_[0], &packages_[1]}, &hasty,
                      &metrics_);
  };
  const absl::Status refused = shelf(250 * kMegabyte).LoadAll(Factory());
  CHECK(absl::IsResourceExhausted(refused));
  CHECK_THAT(std::string(refused.message()),
             Contains("to load model b") && Contains("--chunk-deadline"));
  CHECK(shelf(0).LoadAll(Factory()).ok());  // nothing makes way for another
}

TEST_CASE_METHOD(ShelfTest, "the model that was not used for longest makes room, and no other") {
  const auto shelf = Shelf(250);
  REQUIRE(shelf->LoadAll(Factory()).ok());
  order_.clear();
  REQUIRE(shelf->Use(1).ok());
  REQUIRE(shelf->Use(0).ok());
  CHECK(shelf->loaded() == Loaded{true, true, false});
  const absl::Time before = shelf->changed_at();
  REQUIRE(shelf->Use(2).ok());
  CHECK(shelf->loaded() == Loaded{true, false, true});
  CHECK(shelf->changed_at() > before);
  REQUIRE(shelf->Use(1).ok());
  CHECK(shelf->loaded() == Loaded{false, true, true});
  CHECK(order_ == "bcb");
  CHECK(memory_.most_bytes == 200 * kMegabyte);
  CHECK(memory_.kept_bytes.size() == 2);
  CHECK_THAT(figures_.Render(),
             Contains("unbraid_worker_model_loads_total{model=\"b\",package=\"aaaaaaaaaaaaaaaa\"} "
                      "3") &&
                 Contains("unbraid_worker_model_loaded{model=\"a\",package=\"aaaaaaaaaaaaaaaa\"} "
                          "0") &&
                 Contains("unbraid_worker_model_loaded{model=\"b\",package=\"aaaaaaaaaaaaaaaa\"} "
                          "1"));
}

TEST_CASE_METHOD(ShelfTest, "what a model takes while it runs counts once: one runs at a time") {
  bool both = false;
  SECTION("200 MB kept, 40 MB for whichever runs, and a little for buffers") { both = true; }
  SECTION("not enough") { needs_["b"].working_bytes += kMegabyte; }
  const auto shelf = Shelf(241);
  REQUIRE(shelf->LoadAll(Factory()).ok());
  REQUIRE(shelf->Use(1).ok());
  CHECK(shelf->loaded() == Loaded{both, true, false});
}

TEST_CASE_METHOD(ShelfTest, "a package that needs more than the whole budget is refused") {
  needs_["b"].working_bytes = 200 * kMegabyte;
  const absl::Status status = Shelf(250)->LoadAll(Factory());
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK(status.message() ==
        "model b needs 301 MB, more than --model-memory-mb 250 allows; raise it, or leave the "
        "model to another worker");
}

TEST_CASE_METHOD(ShelfTest,
                 "a package that has changed on the disk is an error when it is needed") {
  const auto shelf = Shelf(150);
  REQUIRE(shelf->LoadAll(Factory()).ok());
  trouble_ = absl::DataLossError("the graph is another one");
  CHECK(shelf->Use(0).ok());
  CHECK(shelf->Use(1).status() == trouble_);
}

}  // namespace
}  // namespace unbraid::worker
