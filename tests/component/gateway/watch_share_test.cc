// The share alone, with watchers that stay for as long as the test wants.
#include "services/gateway/watch_share.h"

#include <catch2/catch.hpp>

#include "absl/synchronization/notification.h"
#include "services/common/grpc/channel.h"
#include "tests/component/gateway/fake_backends.h"

namespace unbraid::gateway {
namespace {

using State = v1::Separation::State;

class Recorder : public WatchShare::Watcher {
 public:
  void OnNews(const WatchShare::News& news) override {
    absl::MutexLock lock(&mutex_);
    state_ = news->separation().state();
  }
  void OnEnd(const grpc::Status& status) override {
    ok_ = status.ok();
    end_.Notify();
  }

  bool Await(State state) {
    absl::MutexLock lock(&mutex_);
    const auto has_come = [this, state]()
                              ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return state_ == state; };
    return mutex_.AwaitWithTimeout(absl::Condition(&has_come), absl::Seconds(20));
  }
  bool AwaitEnd() { return end_.WaitForNotificationWithTimeout(absl::Seconds(20)) && ok_; }

 private:
  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = v1::Separation::STATE_UNSPECIFIED;
  bool ok_ = false;
  absl::Notification end_;
};

TEST_CASE("who comes when a stream has told an end gets another one, and both end in good order") {
  FakeAssembler assembler;
  absl::Notification go;
  assembler.watch = [&](auto*, auto* writer) {
    const bool first = assembler.streams_begun.count() == 1;
    writer->Write(News(first ? v1::Separation::STATE_CANCELLED : v1::Separation::STATE_PREPARING));
    go.WaitForNotification();
    return grpc::Status::OK;
  };
  const auto server = Serve(&assembler);
  const auto stub =
      internal::v1::AssemblerService::NewStub(grpc_util::Connect(server->address().ToString()));
  telemetry::Metrics metrics;
  WatchShare share(stub.get(), &metrics);
  Recorder one;
  share.Join("default", "separations/2", &one);
  REQUIRE(one.Await(v1::Separation::STATE_CANCELLED));
  Recorder two;
  share.Join("default", "separations/2", &two);
  CHECK(two.Await(v1::Separation::STATE_PREPARING));
  CHECK(assembler.streams_begun.count() == 2);
  go.Notify();
  CHECK(one.AwaitEnd());
  CHECK(two.AwaitEnd());
  share.Leave(&one);
  share.Leave(&two);
}

}  // namespace
}  // namespace unbraid::gateway
