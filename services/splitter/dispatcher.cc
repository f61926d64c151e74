#include "services/splitter/dispatcher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/steady.h"
#include "services/common/samples/beside.h"
#include "services/common/telemetry/log.h"
#include "services/splitter/chunk_cutter.h"

namespace unbraid::splitter {
namespace {

// How often the windows are looked at while chunks wait.
constexpr absl::Duration kLookAgain = absl::Milliseconds(100);
// Below what the publisher's queue holds, so that handing over never blocks this thread.
constexpr int64_t kMaxUnconfirmed = 32;
constexpr int64_t kMaxUnconfirmedBytes = 32 << 20;

}  // namespace

Dispatcher::Dispatcher(ChunkSink* sink, SendWindow* window, telemetry::Metrics* metrics,
                       OnFailure on_failure, const store::ObjectFolder* objects)
    : sink_(sink),
      window_(window),
      on_failure_(std::move(on_failure)),
      objects_(objects),
      chunks_total_(metrics->Counter("unbraid_splitter_chunks_published_total",
                                     "Chunks that the broker has confirmed")),
      bytes_total_(metrics->Counter("unbraid_splitter_chunk_bytes_total",
                                    "Bytes of chunks that the broker has confirmed")),
      active_(metrics->Gauge("unbraid_splitter_dispatching_separations",
                             "Separations whose chunks are being given out")) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Dispatcher::SetAssembler(const std::string& assembler) {
  absl::MutexLock lock(&mutex_);
  assembler_ = assembler;
  news_ = true;
}

std::string Dispatcher::assembler() const {
  absl::MutexLock lock(&mutex_);
  return assembler_;
}

void Dispatcher::Add(const Job& job, const std::string& spool_path, int64_t chunks,
                     const std::vector<bool>& done) {
  absl::MutexLock lock(&mutex_);
  items_[job.id] = Item{std::make_shared<const Job>(job), spool_path, "", AtLeast(done, chunks)};
  rotation_.Add(job.id, job.package(), chunks, done);
  active_.Set(static_cast<double>(items_.size()));
  news_ = true;
}

void Dispatcher::AddGrowing(const Job& job, const std::string& spool_path,
                            const std::string& part_path, int64_t chunks,
                            const std::vector<bool>& done) {
  absl::MutexLock lock(&mutex_);
  items_[job.id] =
      Item{std::make_shared<const Job>(job), spool_path, part_path, AtLeast(done, chunks)};
  rotation_.Add(job.id, job.package(), chunks, done);
  rotation_.SetReady(job.id, 0);
  active_.Set(static_cast<double>(items_.size()));
}

void Dispatcher::SetReady(base::SeparationId id, int32_t attempt, int64_t chunks) {
  absl::MutexLock lock(&mutex_);
  const auto item = items_.find(id);
  if (item == items_.end() || item->second.job->attempt != attempt) return;
  rotation_.SetReady(id, chunks);
  news_ = true;
}

void Dispatcher::Remove(base::SeparationId id) {
  absl::MutexLock lock(&mutex_);
  items_.erase(id);
  rotation_.Remove(id);
  active_.Set(static_cast<double>(items_.size()));
}

void Dispatcher::Retry(base::SeparationId id, int32_t attempt, int64_t chunk, int32_t try_number) {
  absl::MutexLock lock(&mutex_);
  const auto item = items_.find(id);
  if (item == items_.end() || item->second.job->attempt != attempt) return;
  if (chunk >= 0 && chunk < static_cast<int64_t>(item->second.given_out.size()))
    item->second.given_out[static_cast<size_t>(chunk)] = false;
  rotation_.Retry(id, chunk, try_number);
  news_ = true;
}

void Dispatcher::Resend(base::SeparationId id, int32_t attempt, const std::vector<bool>& done) {
  absl::MutexLock lock(&mutex_);
  const auto item = items_.find(id);
  if (item == items_.end() || item->second.job->attempt != attempt) return;
  std::vector<bool>& given_out = item->second.given_out;
  given_out = AtLeast(done, static_cast<int64_t>(given_out.size()));
  rotation_.Resend(id, done);
  news_ = true;
}

std::vector<bool> Dispatcher::AtLeast(std::vector<bool> chunks, int64_t count) {
  if (static_cast<int64_t>(chunks.size()) < count) chunks.resize(static_cast<size_t>(count), false);
  return chunks;
}

std::vector<GivenOut> Dispatcher::given_out() const {
  absl::MutexLock lock(&mutex_);
  std::vector<GivenOut> all;
  for (const auto& [id, item] : items_) all.push_back({id, item.job->attempt, item.given_out});
  return all;
}

Dispatcher::Quiet Dispatcher::QuietOf(base::SeparationId id) const {
  absl::MutexLock lock(&mutex_);
  const auto item = items_.find(id);
  if (item == items_.end()) return {};
  return {!rotation_.HasWork(id) && item->second.unconfirmed == 0, item->second.last_sent};
}

void Dispatcher::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      news_ = false;
    }
    if (Step()) continue;
    absl::MutexLock lock(&mutex_);
    const auto wake = +[](Dispatcher* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
      return self->news_ || self->stopping_;
    };
    const bool waiting = !rotation_.WaitingPackages().empty();
    mutex_.AwaitWithTimeout(absl::Condition(wake, this),
                            waiting ? kLookAgain : absl::InfiniteDuration());
  }
}

bool Dispatcher::Step() {
  Order order;
  return TakeOrder(OpenPackages(), &order) && Send(order);
}

// The packages with work whose window has room. Asks the broker, so no lock is held.
std::set<base::PackageId> Dispatcher::OpenPackages() {
  std::set<base::PackageId> waiting;
  std::string assembler;
  {
    absl::MutexLock lock(&mutex_);
    const bool full = unconfirmed_ >= kMaxUnconfirmed || unconfirmed_bytes_ >= kMaxUnconfirmedBytes;
    if (full || stopping_ || assembler_.empty()) return {};
    waiting = rotation_.WaitingPackages();
    assembler = assembler_;
  }
  const BrokerState broker = sink_->state();
  if (waiting.empty() || !broker.connected || broker.blocked) return {};
  std::set<base::PackageId> open;
  for (const base::PackageId& package : waiting) {
    const absl::StatusOr<bool> may = window_->MaySend(package, assembler);
    if (may.ok() && *may) open.insert(package);
  }
  return open;
}

bool Dispatcher::TakeOrder(const std::set<base::PackageId>& packages, Order* order) {
  if (packages.empty()) return false;
  absl::MutexLock lock(&mutex_);
  const auto turn = rotation_.Next(
      [&packages](const base::PackageId& package) { return packages.count(package) > 0; });
  if (!turn || stopping_) return false;
  Item& item = items_.at(turn->id);
  ++item.unconfirmed;
  *order = {item.job, item.spool_path, item.part_path, assembler_, *turn};
  return true;
}

absl::StatusOr<internal::v1::ChunkTask> Dispatcher::Cut(const Order& order) {
  const auto cut = [&order](const std::string& path) {
    return CutChunk(*order.job, path, order.turn.chunk, order.turn.try_number, order.assembler);
  };
  if (order.part_path.empty()) return cut(order.spool_path);
  auto task = cut(order.part_path);
  // It has got its own name by now.
  return absl::IsNotFound(task.status()) ? cut(order.spool_path) : std::move(task);
}

void Dispatcher::LayAside(internal::v1::ChunkTask* task) const {
  // What has failed once goes the safe way, whatever it was that failed.
  if (objects_ == nullptr || task->try_() > 1) return;
  const base::SeparationId id(task->separation_id());
  const absl::Status laid =
      samples::LayAside(*objects_, {task->assembler(), id, task->attempt()}, task);
  if (laid.ok()) return;
  telemetry::Warning(
      "a chunk's samples travel in its message, since they cannot be laid aside",
      {{"separation", id.ToString()}, {"chunk", task->chunk_index()}, {"error", laid}});
}

bool Dispatcher::OnNotCut(const Order& order, const absl::Status& why) {
  // Too many files are open, or no memory is left: that is not the separation's fault, and passes.
  const bool passes = absl::IsResourceExhausted(why);
  {
    absl::MutexLock lock(&mutex_);
    Item* item = Current(order);
    // Its spool goes with a separation that has ended meanwhile.
    if (item == nullptr) return true;
    if (passes) {
      --item->unconfirmed;
      rotation_.PutBack(order.turn);
    }
  }
  if (!passes) on_failure_(order.job->id, order.job->attempt, why);
  if (passes && !std::exchange(short_of_means_, true))
    telemetry::Warning("no chunk can be cut now", {{"error", why}});
  return !passes;
}

bool Dispatcher::Send(const Order& order) {
  const Job& job = *order.job;
  auto task = Cut(order);
  if (!task.ok()) return OnNotCut(order, task.status());
  short_of_means_ = false;
  LayAside(&*task);
  OutgoingChunk chunk{job.package(), ChunkMessageId(*task), task->SerializeAsString()};
  const int64_t bytes =
      static_cast<int64_t>(chunk.body.size()) + task->samples_object().size_bytes();
  {
    absl::MutexLock lock(&mutex_);
    ++unconfirmed_;
    unconfirmed_bytes_ += bytes;
  }
  window_->Sent(job.package());
  sink_->Publish(std::move(chunk),
                 [this, order, bytes, object = task->samples_object().uri()](absl::Status status) {
                   // One whose fate is unknown may be in its queue.
                   if (objects_ != nullptr && !status.ok() && !absl::IsCancelled(status))
                     objects_->Remove(object);
                   {
                     absl::MutexLock lock(&mutex_);
                     --unconfirmed_;
                     unconfirmed_bytes_ -= bytes;
                     news_ = true;
                   }
                   if (status.ok()) bytes_total_.Increment(static_cast<double>(bytes));
                   OnDecided(order, status);
                 });
  return true;
}

void Dispatcher::OnDecided(const Order& order, const absl::Status& status) {
  const Job& job = *order.job;
  window_->Decided(job.package());
  if (status.ok()) chunks_total_.Increment();
  bool current = false;
  {
    absl::MutexLock lock(&mutex_);
    Item* item = Current(order);
    current = item != nullptr;
    if (current) {
      --item->unconfirmed;
      item->last_sent = base::SteadyNow();
      if (status.ok()) item->given_out[static_cast<size_t>(order.turn.chunk)] = true;
      if (absl::IsUnavailable(status)) {
        rotation_.PutBack(order.turn);
      }
    }
  }
  if (!current || status.ok() || absl::IsCancelled(status)) return;
  telemetry::Warning(
      "chunk could not be sent",
      {{"separation", job.id.ToString()}, {"chunk", order.turn.chunk}, {"error", status}});
  if (!absl::IsUnavailable(status)) on_failure_(job.id, job.attempt, status);
}

// The item that the order was taken from; one that was added again meanwhile counts for itself.
Dispatcher::Item* Dispatcher::Current(const Order& order) {
  const auto item = items_.find(order.job->id);
  const bool same = item != items_.end() && item->second.job == order.job;
  return same ? &item->second : nullptr;
}

void Dispatcher::Wake() {
  absl::MutexLock lock(&mutex_);
  news_ = true;
}

void Dispatcher::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace unbraid::splitter
