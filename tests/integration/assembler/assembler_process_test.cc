// The assembler as a process, between a real broker and the test, which plays splitter and workers.
#include <httplib.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "services/common/amqp/publisher.h"
#include "services/common/amqp/queue_inspector.h"
#include "services/common/grpc/channel.h"
#include "services/common/store/files.h"
#include "tests/support/broker.h"
#include "tests/unit/assembler/fixtures.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::assembler {
namespace {

using Catch::Contains;
using Stub = internal::v1::AssemblerService::Stub;
using test_support::Broker;
using test_support::ChildProcess;

constexpr char kName[] = "assembler-test";
constexpr absl::Duration kLong = absl::Seconds(60);

class AssemblerProcessTest {
 protected:
  AssemblerProcessTest() {
    auto broker = Broker::Start();
    INFO(broker.status());
    REQUIRE(broker.ok());
    broker_ = *std::move(broker);
    amqp::ConnectionOptions options;
    options.host = broker_->host();
    options.port = broker_->port();
    options.user = broker_->user();
    options.password = broker_->password();
    publisher_ = amqp::Publisher::Create(options, amqp::ResultTopology(kName));
    inspector_ = std::make_unique<amqp::QueueInspector>(options);
    REQUIRE(store::WriteFileDurably(folder_.path() + "/password", broker_->password()).ok());
    StartAssembler();
  }

  void StartAssembler() {
    std::filesystem::remove(folder_.path() + "/addresses");
    ChildProcess::Command command;
    command.arguments = {UNBRAID_ASSEMBLER_BINARY,
                         "--amqp",
                         absl::StrCat(broker_->host(), ":", broker_->port()),
                         "--amqp-user",
                         broker_->user(),
                         "--amqp-password-file",
                         folder_.path() + "/password",
                         "--data",
                         folder_.path() + "/data",
                         "--name",
                         kName,
                         "--listen",
                         "127.0.0.1:0",
                         "--http",
                         "127.0.0.1:0",
                         "--address-file",
                         folder_.path() + "/addresses"};
    command.output_file = folder_.path() + "/log";
    auto process = ChildProcess::Start(command);
    REQUIRE(process.ok());
    process_ = *std::move(process);
    Poll("the address file",
         [&] { return std::filesystem::exists(folder_.path() + "/addresses"); });
    stub_ = internal::v1::AssemblerService::NewStub(grpc_util::Connect(Address("grpc=")));
    Poll("readiness", [&] { return HttpStatus("/readyz") == 200; });
  }

  std::string Address(const std::string& key) const {
    for (const absl::string_view line :
         absl::StrSplit(ReadAll(folder_.path() + "/addresses"), '\n')) {
      if (absl::StartsWith(line, key)) return std::string(line.substr(key.size()));
    }
    return "";
  }

  int HttpStatus(const std::string& path, std::string* body = nullptr) const {
    httplib::Client client("http://" + Address("http="));
    const httplib::Result answer = client.Get(path.c_str());
    if (!answer) return 0;
    if (body != nullptr) *body = answer->body;
    return answer->status;
  }

  // For what another process does, there is no event to wait for.
  template <typename Done>
  void Poll(const std::string& what, Done done) {
    INFO(what);
    const absl::Time end = absl::Now() + kLong;
    while (!done()) {
      REQUIRE(absl::Now() < end);
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

  void Begin(const Song& song) {
    internal::v1::OpenSeparationResponse opened;
    REQUIRE(grpc_util::Call(stub_.get(), &Stub::OpenSeparation, song.Open(), &opened, kOwner).ok());
    google::protobuf::Empty empty;
    REQUIRE(grpc_util::Call(stub_.get(), &Stub::PlanSeparation, song.Plan(opened.attempt()), &empty,
                            kOwner)
                .ok());
  }

  void PublishBody(const std::string& body) {
    amqp::Message message;
    message.exchange = amqp::kResultsExchange;
    message.routing_key = kName;
    message.body = body;
    const absl::Status sent = publisher_->PublishAndWait(std::move(message), kLong);
    INFO(sent);
    REQUIRE(sent.ok());
  }

  void PublishChunk(const Song& song, int64_t chunk) {
    for (int stem : song.computed) PublishBody(song.Message(chunk, stem).SerializeAsString());
  }

  v1::Separation Get() {
    v1::GetSeparationRequest request;
    request.set_name("separations/123");
    v1::Separation separation;
    REQUIRE(grpc_util::Call(stub_.get(), &Stub::GetSeparation, request, &separation, kOwner).ok());
    return separation;
  }

  void AwaitSuccess() {
    Poll("success", [&] { return Get().state() == v1::Separation::STATE_SUCCEEDED; });
  }

  // What one process without a broker makes of the song.
  void CheckResults(const Song& song) {
    Bench reference(folder_.path() + "/reference");
    reference.Complete(song);
    for (const char* name : {"drums", "bass", "other", "vocals", "mix"}) {
      const std::string rest = absl::StrCat("separations/123/1/out/", name, ".wav");
      CHECK(ReadAll(absl::StrCat(folder_.path(), "/data/", rest)) ==
            ReadAll(absl::StrCat(folder_.path(), "/reference/", rest)));
    }
  }

  test_support::TempDir folder_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<amqp::Publisher> publisher_;
  std::unique_ptr<amqp::QueueInspector> inspector_;
  ChildProcess process_;
  std::unique_ptr<Stub> stub_;
};

Song Tenths() {
  Song song;
  song.window = 8'192;
  song.overlap = 1'024;
  song.frames = song.model_frames = 60'000;
  return song;
}

}  // namespace

TEST_CASE_METHOD(AssemblerProcessTest,
                 "results from a broker, backwards, twice and among nonsense, become files") {
  const Song song = Tenths();
  Begin(song);
  PublishBody("nonsense");
  for (int64_t chunk = song.chunks() - 1; chunk >= 0; --chunk) {
    PublishChunk(song, chunk);
    PublishChunk(song, chunk);
  }
  AwaitSuccess();
  CheckResults(song);
  // Everything was acknowledged, or it would come again after this.
  Poll("an empty queue", [&] { return inspector_->Inspect(amqp::ResultQueue(kName))->ready == 0; });
  const auto exit_code = process_.Terminate(absl::Seconds(20));
  REQUIRE(exit_code.ok());
  CHECK(*exit_code == 0);
  CHECK(inspector_->Inspect(amqp::ResultQueue(kName))->ready == 0);
  CHECK_THAT(ReadAll(folder_.path() + "/log"), Contains("dropped a message that is no result"));
}

TEST_CASE_METHOD(AssemblerProcessTest,
                 "Case 22: killed again and again in the middle of results, it loses none") {
  const Song song = Tenths();
  Begin(song);
  for (int64_t chunk = 0; chunk < song.chunks(); ++chunk) {
    PublishChunk(song, chunk);
    if (chunk % 3 != 1) continue;
    // At whatever it is just doing.
    REQUIRE(process_.Signal(SIGKILL).ok());
    REQUIRE(process_.Wait(kLong).ok());
    StartAssembler();
  }
  AwaitSuccess();
  CheckResults(song);
}

TEST_CASE_METHOD(AssemblerProcessTest,
                 "a result whose neighbours do not come is stored by itself, and acknowledged") {
  const Song song = Tenths();
  Begin(song);
  PublishBody(song.Message(1, 0).SerializeAsString());
  const std::string stored =
      folder_.path() + "/data/separations/" + std::to_string(song.id) + "/1/chunks/1.0";
  Poll("the stored result", [&] { return std::filesystem::exists(stored); });
  const auto exit_code = process_.Terminate(absl::Seconds(20));
  REQUIRE(exit_code.ok());
  CHECK(*exit_code == 0);
  CHECK(inspector_->Inspect(amqp::ResultQueue(kName))->ready == 0);
}

TEST_CASE_METHOD(AssemblerProcessTest, "SIGTERM gives back what was not stored, and ends with 0") {
  const Song song = Tenths();
  Begin(song);
  for (int64_t chunk = 0; chunk < 4; ++chunk) PublishChunk(song, chunk);
  const auto exit_code = process_.Terminate(absl::Seconds(20));
  REQUIRE(exit_code.ok());
  CHECK(*exit_code == 0);
  StartAssembler();
  for (int64_t chunk = 4; chunk < song.chunks(); ++chunk) PublishChunk(song, chunk);
  AwaitSuccess();
  CheckResults(song);
}

TEST_CASE_METHOD(AssemblerProcessTest,
                 "Case 28: while the broker is away it says so, and goes on when it is back") {
  const Song song = Tenths();
  Begin(song);
  PublishChunk(song, 0);
  Poll("the first chunk", [&] { return Get().progress().chunks_done() == 1; });
  REQUIRE(broker_->Stop().ok());
  std::string body;
  Poll("unreadiness", [&] { return HttpStatus("/readyz", &body) == 503; });
  CHECK_THAT(body, Contains("not consuming results"));
  CHECK(HttpStatus("/healthz") == 200);
  CHECK(Get().progress().chunks_done() == 1);
  REQUIRE(broker_->Run().ok());
  for (int64_t chunk = 1; chunk < song.chunks(); ++chunk) PublishChunk(song, chunk);
  AwaitSuccess();
  CHECK(HttpStatus("/metrics", &body) == 200);
  CHECK_THAT(body, Contains("unbraid_assembler_ended_separations_total{state=\"succeeded\"} 1"));
}

}  // namespace unbraid::assembler
