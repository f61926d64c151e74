#include "tests/integration/worker/stand.h"

#include <catch2/catch.hpp>
#include <set>

#include "absl/time/clock.h"
#include "services/common/amqp/queue_inspector.h"
#include "services/common/amqp/topology.h"
#include "services/common/base/crc32c.h"

namespace unbraid::worker {
namespace {

constexpr char kAssembler[] = "assembler-test";
constexpr absl::Duration kConfirmPatience = absl::Seconds(60);
constexpr absl::Duration kPause = absl::Milliseconds(20);

template <typename T>
T Required(absl::StatusOr<T> value) {
  INFO(value.status());
  REQUIRE(value.ok());
  return *std::move(value);
}

}  // namespace

Stand::Stand(const std::string& package_folder)
    : broker_(Required(test_support::Broker::Start())),
      package_(Required(model::LoadPackage(package_folder))) {
  options_.host = broker_->host();
  options_.port = broker_->port();
  options_.user = broker_->user();
  options_.password = broker_->password();
  amqp::Topology topology = amqp::ChunkTopology(package_.id());
  topology.Merge(amqp::ControlTopology());
  publisher_ = amqp::Publisher::Create(options_, topology);
  consumer_ = amqp::Consumer::Create(
      options_, amqp::ResultTopology(kAssembler), {amqp::ResultQueue(kAssembler), "", 16},
      [this](const amqp::Delivery& delivery) { OnResult(delivery); });
}

internal::v1::ChunkTask Stand::Task(int64_t chunk, int channels, float first_sample) const {
  internal::v1::ChunkTask task;
  task.set_separation_id(77);
  task.set_attempt(1);
  task.set_chunk_index(chunk);
  task.set_try_(1);
  task.set_assembler(kAssembler);
  task.set_model(package_.name);
  task.set_model_sha256(package_.sha256);
  for (size_t stem = 0; stem < package_.stems.size(); ++stem) {
    task.add_stem_indexes(static_cast<int32_t>(stem));
  }
  task.set_channels(channels);
  task.set_window_frames(package_.window_frames);
  task.set_keep_frames(package_.window_frames);
  task.set_scale(1);
  std::vector<float> samples(static_cast<size_t>(channels * package_.window_frames), 0.5F);
  samples[0] = first_sample;
  task.set_samples(samples.data(), samples.size() * sizeof(float));
  task.set_samples_crc32c(base::Crc32c(task.samples()));
  return task;
}

void Stand::Send(const internal::v1::ChunkTask& task) { SendBody(task.SerializeAsString()); }

void Stand::SendTo(const model::Package& other, internal::v1::ChunkTask task) {
  task.set_model(other.name);
  task.set_model_sha256(other.sha256);
  publisher_->EnsureTopology(amqp::ChunkTopology(other.id()));
  SendBody(other.id(), task.SerializeAsString());
}

void Stand::SendBody(const std::string& body) { SendBody(package_.id(), body); }

void Stand::SendBody(const base::PackageId& package, const std::string& body) {
  amqp::Message message;
  message.exchange = amqp::kChunksExchange;
  message.routing_key = amqp::ChunkKey(package);
  message.body = body;
  const absl::Status sent = publisher_->PublishAndWait(std::move(message), kConfirmPatience);
  INFO(sent);
  REQUIRE(sent.ok());
}

void Stand::Cancel(int64_t separation, int32_t attempt) {
  internal::v1::CancelNotice notice;
  notice.set_separation_id(separation);
  notice.set_attempt(attempt);
  amqp::Message message;
  message.exchange = amqp::kControlExchange;
  message.body = notice.SerializeAsString();
  message.mandatory = false;
  REQUIRE(publisher_->PublishAndWait(std::move(message), kConfirmPatience).ok());
}

void Stand::OnResult(const amqp::Delivery& delivery) {
  internal::v1::ChunkResult result;
  const bool parsed = result.ParseFromString(delivery.body);
  {
    absl::MutexLock lock(&mutex_);
    const int stem = result.has_stem() ? result.stem().stem_index() : -1;
    const auto [place, is_new] = results_.insert({{result.chunk_index(), stem}, result});
    if (!parsed || (!is_new && place->second.stem().samples() != result.stem().samples())) {
      ++contradictions_;
    }
  }
  consumer_->Ack(delivery.tag);
}

size_t Stand::CompleteChunks() const {
  std::map<int64_t, size_t> parts;
  for (const auto& [key, result] : results_) {
    parts[key.first] += result.has_failure() ? package_.stems.size() : 1;
  }
  size_t complete = 0;
  for (const auto& [chunk, count] : parts) complete += count >= package_.stems.size() ? 1 : 0;
  return complete;
}

bool Stand::AwaitChunks(size_t chunks, absl::Duration timeout) {
  const auto enough = [this, chunks]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return CompleteChunks() >= chunks;
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), timeout);
}

Stand::Results Stand::results() const {
  absl::MutexLock lock(&mutex_);
  return results_;
}

int Stand::contradictions() const {
  absl::MutexLock lock(&mutex_);
  return contradictions_;
}

int64_t Stand::Ready(const std::string& queue) const {
  return Required(amqp::QueueInspector(options_).Inspect(queue)).ready;
}

bool Stand::AwaitReady(const std::string& queue, int64_t count) const {
  amqp::QueueInspector inspector(options_);
  const absl::Time end = absl::Now() + kConfirmPatience;
  while (absl::Now() < end) {
    const auto depth = inspector.Inspect(queue);
    if (depth.ok() && depth->ready == count) return true;
    absl::SleepFor(kPause);  // the broker tells nobody when a queue changes
  }
  return false;
}

}  // namespace unbraid::worker
