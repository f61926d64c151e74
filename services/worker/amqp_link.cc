#include "services/worker/amqp_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/common/amqp/topology.h"
#include "services/common/base/steady.h"
#include "services/common/telemetry/log.h"
#include "unbraid/internal/v1/work.pb.h"

namespace unbraid::worker {
namespace {

// A bound of the wait for the broker's answer to "no more"; after it, closing the connection gives
// the chunks back as well.
constexpr absl::Duration kCancelPatience = absl::Seconds(2);
constexpr absl::Duration kCancelPoll = absl::Milliseconds(5);

absl::Status Check(const amqp::ConnectionState& state, absl::string_view what) {
  if (state.usable()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the broker's connection for ", what,
                   " is not usable: ", state.message.empty() ? "connecting" : state.message));
}

}  // namespace

AmqpLink::AmqpLink(const amqp::ConnectionOptions& options, ChunkQueue* queue, CancelBook* book)
    : options_(options),
      queue_(queue),
      book_(book),
      publisher_(amqp::Publisher::Create(options, amqp::Topology())),
      notices_(amqp::Consumer::Create(options, amqp::ControlTopology(),
                                      {"", amqp::kControlExchange, /*prefetch=*/1},
                                      [this](const amqp::Delivery& notice) { OnNotice(notice); })) {
}

AmqpLink::~AmqpLink() { Stop(); }

void AmqpLink::OnNotice(const amqp::Delivery& delivery) {
  internal::v1::CancelNotice notice;
  if (!notice.ParseFromString(delivery.body)) {
    telemetry::Warning("ignored a cancel notice that cannot be read");
    return;
  }
  const base::SeparationId separation(notice.separation_id());
  book_->Add(separation, notice.attempt());
  telemetry::Debug("separation has ended",
                   {{"separation", separation.ToString()}, {"attempt", notice.attempt()}});
}

void AmqpLink::Consume(const std::vector<base::PackageId>& packages, int prefetch) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  auto consumers = std::make_unique<Consumers>();
  for (size_t model = 0; model < packages.size(); ++model) {
    consumers->push_back(amqp::Consumer::Create(options_, amqp::ChunkTopology(packages[model]),
                                                {amqp::ChunkQueue(packages[model]), "", prefetch},
                                                [this, model](amqp::Delivery delivery) {
                                                  queue_->Push({model, std::move(delivery)});
                                                }));
  }
  consumers_ = std::move(consumers);
}

const AmqpLink::Consumers* AmqpLink::consumers() const {
  static const Consumers none;
  absl::MutexLock lock(&mutex_);
  return consumers_ ? consumers_.get() : &none;
}

absl::Status AmqpLink::Ready() const {
  absl::Status status = Check(publisher_->state(), "results");
  const Consumers* all = consumers();
  if (all->empty()) status.Update(absl::UnavailableError("no chunks are taken yet"));
  for (const auto& consumer : *all) {
    status.Update(Check(consumer->state(), "chunks"));
    if (!consumer->consuming()) status.Update(absl::UnavailableError("no chunks are taken now"));
  }
  return status;
}

void AmqpLink::Publish(Outgoing result, std::function<void(absl::Status)> done) {
  bool is_new = false;
  {
    absl::MutexLock lock(&mutex_);
    is_new = assemblers_.insert(result.assembler).second;
  }
  if (is_new) publisher_->EnsureTopology(amqp::ResultTopology(result.assembler));
  publisher_->Publish({amqp::kResultsExchange, std::move(result.assembler), std::move(result.body),
                       std::move(result.message_id)},
                      std::move(done));
}

void AmqpLink::Ack(size_t model, amqp::DeliveryTag tag) { consumers()->at(model)->Ack(tag); }

void AmqpLink::Nack(size_t model, amqp::DeliveryTag tag, bool requeue) {
  consumers()->at(model)->Nack(tag, requeue);
}

void AmqpLink::StopConsuming() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  const Consumers* all = consumers();
  for (const auto& consumer : *all) consumer->Cancel();
  const auto consuming = [all] {
    return std::any_of(all->begin(), all->end(),
                       [](const auto& consumer) { return consumer->consuming(); });
  };
  const absl::Time patience = base::SteadyNow() + kCancelPatience;
  while (consuming() && base::SteadyNow() < patience) absl::SleepFor(kCancelPoll);
  for (const Arrival& arrival : queue_->TakeAll()) {
    Nack(arrival.model, arrival.delivery.tag, /*requeue=*/true);
  }
}

void AmqpLink::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  publisher_->Stop();
  for (const auto& consumer : *consumers()) consumer->Stop();
  notices_->Stop();
}

}  // namespace unbraid::worker
