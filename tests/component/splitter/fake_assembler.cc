#include "tests/component/splitter/fake_assembler.h"

#include <catch2/catch.hpp>
#include <utility>

#include "services/common/base/status.h"
#include "services/common/grpc/channel.h"
#include "tests/unit/splitter/fixtures.h"

namespace unbraid::splitter {
namespace {

constexpr absl::Duration kLookAtCancellation = absl::Milliseconds(20);

bool Ended(v1::Separation::State state) { return state >= v1::Separation::STATE_SUCCEEDED; }

grpc::Status Unknown() {
  return grpc_util::ToGrpc(
      base::Error(absl::StatusCode::kNotFound, "UNKNOWN_SEPARATION", "no such separation"));
}

}  // namespace

FakeAssembler::FakeAssembler() { Serve(); }

FakeAssembler::~FakeAssembler() { StopServing(); }

void FakeAssembler::Serve(int port) {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = false;
  }
  grpc_util::ServerOptions options;
  options.listen = {"127.0.0.1", port};
  options.services = {this};
  auto server = grpc_util::Server::Start(options);
  INFO(server.status());
  REQUIRE(server.ok());
  server_ = *std::move(server);
  port_ = server_->address().port;
}

void FakeAssembler::StopServing() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  server_.reset();
}

std::string FakeAssembler::address() const { return base::HostPort{"127.0.0.1", port_}.ToString(); }

FakeAssembler::Record FakeAssembler::Get(int64_t id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = records_.find(id);
  return found == records_.end() ? Record() : found->second;
}

int64_t FakeAssembler::opens() const {
  absl::MutexLock lock(&mutex_);
  return opens_;
}

bool FakeAssembler::Await(int64_t id, const std::function<bool(const Record&)>& wanted) const {
  absl::MutexLock lock(&mutex_);
  auto condition = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = records_.find(id);
    return found != records_.end() && wanted(found->second);
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&condition), kPatience);
}

bool FakeAssembler::AwaitSnapshots(int count) const {
  absl::MutexLock lock(&mutex_);
  auto condition = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return snapshots_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&condition), kPatience);
}

void FakeAssembler::End(int64_t id, v1::Separation::State state) { EndNow(id, state, true); }

void FakeAssembler::EndSilently(int64_t id, v1::Separation::State state) {
  EndNow(id, state, false);
}

void FakeAssembler::EndNow(int64_t id, v1::Separation::State state, bool tell) {
  absl::MutexLock lock(&mutex_);
  Record& record = records_[id];
  record.state = state;
  if (!tell) return;
  internal::v1::WatchWorkResponse news;
  news.mutable_ended()->set_separation_id(id);
  news.mutable_ended()->set_attempt(record.attempt);
  Tell(news);
}

int64_t FakeAssembler::OnlyId() const {
  absl::MutexLock lock(&mutex_);
  CHECK(records_.size() == 1);
  return records_.empty() ? 0 : records_.begin()->first;
}

bool FakeAssembler::AwaitOpens(int64_t count) const {
  absl::MutexLock lock(&mutex_);
  auto condition = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return opens_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&condition), kPatience);
}

void FakeAssembler::SetDone(int64_t id, const std::set<int64_t>& chunks) {
  absl::MutexLock lock(&mutex_);
  records_[id].done = chunks;
}

void FakeAssembler::Retry(int64_t id, int64_t chunk, int32_t try_number) {
  absl::MutexLock lock(&mutex_);
  records_[id].retries[chunk] = try_number;
  Tell(RetryNews(id, records_[id].attempt, chunk, try_number));
}

void FakeAssembler::AddStranger(int64_t id) {
  absl::MutexLock lock(&mutex_);
  records_[id].attempt = 4;
}

grpc::Status FakeAssembler::OpenSeparation(grpc::ServerContext* context,
                                           const internal::v1::OpenSeparationRequest* request,
                                           internal::v1::OpenSeparationResponse* response) {
  if (on_open) on_open();
  absl::MutexLock lock(&mutex_);
  ++opens_;
  Record& record = records_[request->separation_id()];
  const bool ended = record.state == v1::Separation::STATE_FAILED ||
                     record.state == v1::Separation::STATE_CANCELLED;
  const bool repeated = record.open.creation() == request->creation();
  const bool started = record.attempt == 0 || (ended && !repeated);
  if (started) {
    record.open = *request;
    record.owner = grpc_util::OwnerOf(*context);
    record.state = v1::Separation::STATE_PREPARING;
    record.chunks = 0;
    record.song.clear();
    record.done.clear();
    record.retries.clear();
    ++record.attempt;
    if (!lose_answer_) Tell(Active(request->separation_id(), record));
  }
  if (std::exchange(lose_answer_, false)) return {grpc::StatusCode::UNAVAILABLE, "lost"};
  *response->mutable_separation() = record.open.separation();
  response->mutable_separation()->set_state(record.state);
  response->mutable_separation()->set_attempt(record.attempt);
  response->set_attempt(record.attempt);
  response->set_started(started);
  return grpc::Status::OK;
}

grpc::Status FakeAssembler::GetSeparation(grpc::ServerContext*,
                                          const v1::GetSeparationRequest* request,
                                          v1::Separation* response) {
  const auto id = base::ParseSeparationName(request->name());
  absl::MutexLock lock(&mutex_);
  const auto found = id.ok() ? records_.find(id->value()) : records_.end();
  if (found == records_.end()) return Unknown();
  *response = found->second.open.separation();
  response->set_state(found->second.state);
  return grpc::Status::OK;
}

grpc::Status FakeAssembler::PlanSeparation(grpc::ServerContext*,
                                           const internal::v1::PlanSeparationRequest* request,
                                           google::protobuf::Empty*) {
  absl::MutexLock lock(&mutex_);
  const auto found = records_.find(request->separation_id());
  if (found == records_.end()) return Unknown();
  Record& record = found->second;
  if (record.attempt != request->attempt() || Ended(record.state)) {
    return grpc_util::ToGrpc(base::Error(absl::StatusCode::kAborted, "STALE_ATTEMPT", "it ended"));
  }
  if (songs_to_lose_ > 0) {
    --songs_to_lose_;
    record.song.clear();
  }
  if (record.open.separation().residual() && record.song.empty()) {
    return grpc_util::ToGrpc(
        base::Error(absl::StatusCode::kFailedPrecondition, "SONG_MISSING", "no song"));
  }
  record.model_frames = request->model_frames();
  record.chunks = request->chunks();
  record.state = v1::Separation::STATE_SEPARATING;
  return grpc::Status::OK;
}

grpc::Status FakeAssembler::FailSeparation(grpc::ServerContext*,
                                           const internal::v1::FailSeparationRequest* request,
                                           google::protobuf::Empty*) {
  const int64_t id = request->separation_id();
  {
    absl::MutexLock lock(&mutex_);
    const auto found = records_.find(id);
    if (found == records_.end()) return Unknown();
    if (Ended(found->second.state)) return grpc::Status::OK;
    found->second.failure = request->failure();
  }
  End(id, v1::Separation::STATE_FAILED);
  return grpc::Status::OK;
}

grpc::Status FakeAssembler::ReportWaiting(grpc::ServerContext*,
                                          const internal::v1::ReportWaitingRequest* request,
                                          google::protobuf::Empty*) {
  absl::MutexLock lock(&mutex_);
  const auto found = records_.find(request->separation_id());
  if (found == records_.end()) return Unknown();
  found->second.waiting_for.push_back(request->waiting_for());
  return grpc::Status::OK;
}

grpc::Status FakeAssembler::WatchWork(grpc::ServerContext* context,
                                      const internal::v1::WatchWorkRequest*,
                                      grpc::ServerWriter<internal::v1::WatchWorkResponse>* writer) {
  if (on_watch) on_watch();
  News news;
  {
    absl::MutexLock lock(&mutex_);
    news = Snapshot();
    streams_.insert(&news);
  }
  while (true) {
    internal::v1::WatchWorkResponse next;
    {
      absl::MutexLock lock(&mutex_);
      auto something = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return closing_ || !news.empty();
      };
      mutex_.AwaitWithTimeout(absl::Condition(&something), kLookAtCancellation);
      if (closing_ || context->IsCancelled()) break;
      if (news.empty()) continue;
      next = news.front();
      news.pop_front();
    }
    writer->Write(next);
    absl::MutexLock lock(&mutex_);
    if (next.has_snapshot_end()) ++snapshots_;
  }
  absl::MutexLock lock(&mutex_);
  streams_.erase(&news);
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream ends");
}

grpc::Status FakeAssembler::GetAssemblerStatus(grpc::ServerContext*,
                                               const internal::v1::GetAssemblerStatusRequest*,
                                               internal::v1::GetAssemblerStatusResponse* response) {
  response->set_assembler("assembler-1");
  return grpc::Status::OK;
}

FakeAssembler::News FakeAssembler::Snapshot() const {
  News news;
  for (const auto& [id, record] : records_) {
    if (!Ended(record.state)) news.push_back(Active(id, record));
  }
  news.emplace_back().set_snapshot_end(true);
  for (const auto& [id, record] : records_) {
    if (Ended(record.state)) continue;
    for (const auto& [chunk, try_number] : record.retries) {
      if (record.done.count(chunk) == 0) {
        news.push_back(RetryNews(id, record.attempt, chunk, try_number));
      }
    }
  }
  return news;
}

internal::v1::WatchWorkResponse FakeAssembler::RetryNews(int64_t id, int32_t attempt, int64_t chunk,
                                                         int32_t try_number) {
  internal::v1::WatchWorkResponse news;
  news.mutable_retry()->set_separation_id(id);
  news.mutable_retry()->set_attempt(attempt);
  news.mutable_retry()->set_chunk_index(chunk);
  news.mutable_retry()->set_try_(try_number);
  return news;
}

internal::v1::WatchWorkResponse FakeAssembler::Active(int64_t id, const Record& record) {
  internal::v1::WatchWorkResponse news;
  internal::v1::ActiveSeparation& active = *news.mutable_active();
  active.set_separation_id(id);
  active.set_attempt(record.attempt);
  active.set_chunks(record.chunks);
  std::string bits(static_cast<size_t>((record.chunks + 7) / 8), '\0');
  for (const int64_t chunk : record.done) {
    bits[static_cast<size_t>(chunk / 8)] |= static_cast<char>(1 << (chunk % 8));
  }
  active.set_done_chunks(bits);
  return news;
}

void FakeAssembler::Tell(const internal::v1::WatchWorkResponse& news) {
  for (News* stream : streams_) stream->push_back(news);
}

}  // namespace unbraid::splitter
