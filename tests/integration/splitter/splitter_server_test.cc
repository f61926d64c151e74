#include "services/splitter/splitter_server.h"

#include <catch2/catch.hpp>

#include "services/common/amqp/consumer.h"
#include "services/common/amqp/queue_inspector.h"
#include "services/common/base/bounded_queue.h"
#include "services/common/grpc/channel.h"
#include "services/common/store/files.h"
#include "tests/component/splitter/fake_assembler.h"
#include "tests/support/broker.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"
#include "unbraid/internal/v1/splitter_service.grpc.pb.h"

namespace unbraid::splitter {
namespace {

using Stub = internal::v1::SplitterService::Stub;
using Record = FakeAssembler::Record;

// The whole splitter against a real broker; the test plays the workers.
class SplitterServerTest {
 protected:
  SplitterServerTest() {
    auto broker = test_support::Broker::Start();
    INFO(broker.status());
    REQUIRE(broker.ok());
    broker_ = *std::move(broker);
    options_.host = broker_->host();
    options_.port = broker_->port();
    options_.user = broker_->user();
    options_.password = broker_->password();
    Configure();
    auto server = SplitterServer::Create(config_);
    INFO(server.status());
    REQUIRE(server.ok());
    server_ = *std::move(server);
    const std::string addresses = *store::ReadSmallFile(config_.common.address_file);
    stub_ = internal::v1::SplitterService::NewStub(grpc_util::Connect(
        addresses.substr(sizeof("grpc=") - 1, addresses.find('\n') - sizeof("grpc=") + 1)));
  }

  void Configure() {
    config_.listen = "127.0.0.1:0";
    config_.common.address_file = folder_.path() + "/address";
    config_.data = folder_.path() + "/data";
    config_.models = folder_.path() + "/models";
    config_.assembler = assembler_.address();
    config_.min_free_bytes = 0;
    config_.broker.address = broker_->host() + ":" + std::to_string(broker_->port());
    config_.broker.user = broker_->user();
    config_.broker.password_file = folder_.path() + "/password";
    REQUIRE(store::WriteFileDurably(config_.broker.password_file, broker_->password()).ok());
    WritePackage(config_.models);
  }

  int64_t StartJob(int64_t frames) {
    grpc::ClientContext context;
    grpc_util::PrepareCall(&context, kPatience, "default");
    v1::UploadTrackResponse uploaded;
    const auto writer = stub_->UploadTrack(&context, &uploaded);
    v1::UploadTrackRequest part;
    part.mutable_spec()->set_upload_id("id");
    part.set_data(WriteSong(folder_.path() + "/song.wav", frames));
    part.set_finish_write(true);
    writer->Write(part);
    writer->WritesDone();
    REQUIRE(writer->Finish().ok());
    internal::v1::StartSeparationRequest request;
    request.mutable_separation()->set_track(uploaded.track().name());
    v1::Separation separation;
    REQUIRE(
        grpc_util::Call(stub_.get(), &Stub::StartSeparation, request, &separation, "default").ok());
    return base::ParseSeparationName(separation.name())->value();
  }

  base::PackageId Tiny() const { return LoadCatalogue(config_.models).default_package().id(); }

  // A worker that does with each chunk as the test says.
  std::unique_ptr<amqp::Consumer> Worker() {
    amqp::ConsumerOptions consumer;
    consumer.queue = amqp::ChunkQueue(Tiny());
    consumer.prefetch = 1;
    return amqp::Consumer::Create(
        options_, amqp::ChunkTopology(Tiny()), consumer,
        [this](amqp::Delivery delivery) { chunks_.TryPush(std::move(delivery)); });
  }

  test_support::TempDir folder_;
  FakeAssembler assembler_;
  std::unique_ptr<test_support::Broker> broker_;
  amqp::ConnectionOptions options_;
  Config config_;
  std::unique_ptr<SplitterServer> server_;
  std::unique_ptr<Stub> stub_;
  base::BoundedQueue<amqp::Delivery> chunks_{100};
};

TEST_CASE_METHOD(SplitterServerTest, "chunks go through a real broker, in a window of eight") {
  const int64_t id = StartJob(45'000);  // 50 chunks
  const std::string queue = amqp::ChunkQueue(Tiny());
  amqp::QueueInspector inspector(options_);
  const absl::Time end = absl::Now() + kPatience;
  // Without a worker the queue fills up to the window, and the separation says why it waits.
  while (absl::Now() < end && inspector.Inspect(queue)->ready < 8) {
  }
  REQUIRE(assembler_.Await(id, [](const Record& r) { return !r.waiting_for.empty(); }));
  CHECK(assembler_.Get(id).waiting_for.back() ==
        "no worker for model tiny is connected that has package " + Tiny().short_hash());
  CHECK(inspector.Inspect(queue)->ready == 8);
  const auto worker = Worker();
  std::set<int64_t> seen;
  while (seen.size() < 50) {
    const auto delivery = chunks_.Pop(kPatience);
    REQUIRE(delivery);
    internal::v1::ChunkTask task;
    REQUIRE(task.ParseFromString(delivery->body));
    seen.insert(task.chunk_index());
    worker->Ack(delivery->tag);
  }
  CHECK(assembler_.Get(id).chunks == 50);
}

TEST_CASE_METHOD(SplitterServerTest, "a chunk that ends up as a dead letter fails its separation") {
  const int64_t id = StartJob(4000);
  const auto worker = Worker();
  const auto delivery = chunks_.Pop(kPatience);
  REQUIRE(delivery);
  worker->Nack(delivery->tag, /*requeue=*/false);
  REQUIRE(assembler_.Await(
      id, [](const Record& r) { return r.state == v1::Separation::STATE_FAILED; }));
  const v1::Failure failure = assembler_.Get(id).failure;
  CHECK(failure.reason() == "POISON_CHUNK");
  CHECK(failure.message().find("Chunk 0 (from 0:00.000 to 0:00.022 of the track)") == 0);
}

TEST_CASE_METHOD(SplitterServerTest, "workers are told of a cancelled separation") {
  base::BoundedQueue<std::string> notices(10);
  amqp::ConsumerOptions control;
  control.fanout_exchange = amqp::kControlExchange;
  const auto listener = amqp::Consumer::Create(
      options_, amqp::ControlTopology(), control,
      [&](const amqp::Delivery& delivery) { notices.TryPush(delivery.body); });
  const absl::Time end = absl::Now() + kPatience;
  while (absl::Now() < end && !listener->consuming()) {
  }
  const int64_t id = StartJob(45'000);
  REQUIRE(assembler_.Await(
      id, [](const Record& r) { return r.state == v1::Separation::STATE_SEPARATING; }));
  assembler_.End(id, v1::Separation::STATE_CANCELLED);
  const auto body = notices.Pop(kPatience);
  REQUIRE(body);
  internal::v1::CancelNotice notice;
  REQUIRE(notice.ParseFromString(*body));
  CHECK(notice.separation_id() == id);
  CHECK(notice.attempt() == 1);
}

TEST_CASE_METHOD(SplitterServerTest,
                 "a broker that restarts is found again, and no chunk is lost") {
  const int64_t id = StartJob(45'000);
  amqp::QueueInspector inspector(options_);
  const absl::Time end = absl::Now() + kPatience;
  while (absl::Now() < end && inspector.Inspect(amqp::ChunkQueue(Tiny()))->ready < 8) {
  }
  REQUIRE(broker_->Kill().ok());
  REQUIRE(assembler_.Await(id, [](const Record& r) {
    return !r.waiting_for.empty() && r.waiting_for.back() == "the message broker cannot be reached";
  }));
  REQUIRE(broker_->Run().ok());
  const auto worker = Worker();
  std::set<std::string> seen;
  while (seen.size() < 50) {
    const auto delivery = chunks_.Pop(3 * kPatience);
    REQUIRE(delivery);
    seen.insert(delivery->message_id);
    worker->Ack(delivery->tag);
  }
  server_->Drain();
  server_->Drain();
}

}  // namespace
}  // namespace unbraid::splitter
