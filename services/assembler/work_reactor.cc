#include "services/assembler/work_reactor.h"

#include <utility>

namespace unbraid::assembler {
namespace {

constexpr size_t kMaxQueued = 10'000;

}  // namespace

WorkReactor::WorkReactor(std::string splitter, Engine* engine, base::Executor* executor,
                         WorkFeed* feed)
    : splitter_(std::move(splitter)), feed_(feed) {
  Hold();
  const bool posted = executor->Post([this, engine] {
    engine->Listen(splitter_, this);
    Release();
  });
  if (posted) return;
  OnClosed();
  Release();
}

WorkReactor::~WorkReactor() { feed_->Unsubscribe(splitter_, this); }

void WorkReactor::OnWork(const internal::v1::WatchWorkResponse& news) {
  if (queued() >= kMaxQueued) {
    return FinishNow(
        grpc::Status(grpc::StatusCode::ABORTED, "the splitter is too far behind; begin again"));
  }
  Enqueue(news);
}

void WorkReactor::OnClosed() {
  FinishNow(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the assembler is shutting down"));
}

}  // namespace unbraid::assembler
