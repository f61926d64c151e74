#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "clients/cli/commands.h"
#include "clients/cli/exit_code.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/component/cli/fake_gateway.h"
#include "tests/component/cli/prepared_signals.h"

namespace unbraid::cli {
namespace {

// Keeps what a command told.
class RecordingReporter : public Reporter {
 public:
  void Uploading(int64_t, int64_t) override {}
  void Uploaded(const v1::Track& track) override { track_name = track.name(); }
  void Progress(const v1::Separation& separation) override { states.push_back(separation.state()); }
  void Downloading(const std::string&, int64_t, int64_t) override {}
  void Wrote(const std::string& stem, const std::string&) override { stems.push_back(stem); }
  void Show(const std::string&, const google::protobuf::Message&, const std::string&) override {}
  void Failed(const absl::Status&) override {}
  absl::Status Written() const override { return written; }

  absl::Status written;
  std::string track_name;
  std::vector<v1::Separation::State> states;
  std::vector<std::string> stems;
};

class Fixture : PreparedSignals {
 public:
  Fixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "unbraid-cli-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    options.file = folder + "/song.wav";
    options.output_folder = folder + "/out";
    std::ofstream(options.file, std::ios::binary) << song;
  }
  ~Fixture() { std::filesystem::remove_all(folder); }

  absl::Status RunSeparate() {
    GatewayClient client(gateway.address(), &interrupt, absl::Seconds(20));
    return Separate(options, &client, &reporter);
  }
  std::string Output(const std::string& name) {
    const auto content = store::ReadSmallFile(options.output_folder + "/" + name);
    return content.ok() ? *content : content.status().ToString();
  }
  int OutputFiles() {
    return static_cast<int>(
        std::distance(std::filesystem::directory_iterator(options.output_folder), {}));
  }

  std::string song = std::string(1'000'000, 'a') + "end";
  std::string folder;
  Options options;
  Interrupt interrupt;
  FakeGateway gateway;
  RecordingReporter reporter;
};

TEST_CASE_METHOD(Fixture, "separate uploads, watches and fetches every output whole") {
  REQUIRE(RunSeparate().ok());
  CHECK(gateway.uploaded() == song);
  CHECK(reporter.track_name == "tracks/1");
  CHECK(reporter.states.back() == v1::Separation::STATE_SUCCEEDED);
  CHECK(reporter.stems == std::vector<std::string>{"vocals", "mix"});
  CHECK(Output("vocals.wav") == gateway.stem_content);
  CHECK(OutputFiles() == 2);
}

TEST_CASE_METHOD(Fixture, "what is said of the outputs reaches the server") {
  options.output.format = "opus";
  options.output.bitrate_kbps = 96;
  options.output.clip = "none";
  REQUIRE(RunSeparate().ok());
  const v1::Separation created = gateway.created();
  CHECK(created.track() == "tracks/1");
  CHECK(created.output_format().container() == v1::OutputFormat::CONTAINER_OGG_OPUS);
  CHECK(created.output_format().bitrate_kbps() == 96);
  CHECK(created.output_format().clip() == v1::OutputFormat::CLIP_POLICY_NONE);
}

TEST_CASE_METHOD(Fixture, "an upload that is cut goes on at the committed size") {
  gateway.break_upload_after = 300'000;
  REQUIRE(RunSeparate().ok());
  CHECK(gateway.uploaded() == song);
}

TEST_CASE_METHOD(Fixture, "an upload goes on though a part was stored after the server was asked") {
  gateway.break_upload_after = 300'000;
  gateway.stale_size = 262'144;
  REQUIRE(RunSeparate().ok());
  CHECK(gateway.uploaded() == song);
}

TEST_CASE_METHOD(Fixture, "an upload of which nothing is ever stored is given up") {
  gateway.damage_uploads = true;
  GatewayClient client(gateway.address(), &interrupt, absl::Seconds(1));
  CHECK(base::ReasonOf(UploadCommand(options, &client, &reporter)) == "CHECKSUM_MISMATCH");
}

TEST_CASE_METHOD(Fixture, "a deletion whose answer is lost is one") {
  options.name = "tracks/1";
  GatewayClient client(gateway.address(), &interrupt, absl::Seconds(20));
  CHECK(Delete(options, &client, &reporter).ok());
  CHECK(absl::IsNotFound(Delete(options, &client, &reporter)));
}

TEST_CASE_METHOD(Fixture, "to watch ends when nobody can be told") {
  gateway.watch_for_ever = true;
  options.name = "separations/2";
  reporter.written = absl::UnavailableError("nobody reads");
  GatewayClient client(gateway.address(), &interrupt, absl::Seconds(20));
  CHECK(Watch(options, &client, &reporter) == reporter.written);
  CHECK(client.CancelNow(options.name).ok());  // lets the gateway end
}

TEST_CASE_METHOD(Fixture, "a download that is cut goes on where it was") {
  gateway.break_download_after = 250'000;
  REQUIRE(RunSeparate().ok());
  CHECK(Output("vocals.wav") == gateway.stem_content);
}

TEST_CASE_METHOD(Fixture, "a result that arrives damaged leaves no file") {
  gateway.sent_content = gateway.stem_content;
  gateway.sent_content[1234] = 'x';
  const absl::Status status = RunSeparate();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(status.message()), Catch::Contains("arrived damaged"));
  CHECK(OutputFiles() == 0);
}

TEST_CASE_METHOD(Fixture, "a server cannot name a file outside the folder (case 31)") {
  gateway.first_stem =
      GENERATE("../vocals", "/tmp/unbraid-vocals", "a/b", "..", "", ".hidden", "a\nb");
  CAPTURE(gateway.first_stem);
  const absl::Status status = RunSeparate();
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK_THAT(std::string(status.message()), Catch::Contains("is no plain file name"));
  CHECK(OutputFiles() == 0);
  CHECK_FALSE(std::filesystem::exists(folder + "/vocals.wav"));
}

TEST_CASE_METHOD(Fixture, "two results of one name are refused before one is written") {
  gateway.first_stem = "MIX";
  const absl::Status status = RunSeparate();
  CHECK(status.code() == absl::StatusCode::kInternal);
  CHECK_THAT(std::string(status.message()), Catch::Contains("names two results \"mix.wav\""));
  CHECK(OutputFiles() == 0);
}

TEST_CASE_METHOD(Fixture, "a result that cannot have its name is told, and leaves nothing behind") {
  const std::string taken = options.output_folder + "/vocals.wav";
  std::filesystem::create_directories(taken + "/something");
  const absl::Status status = RunSeparate();
  CHECK_THAT(std::string(status.message()), Catch::Contains("vocals.wav"));
  CHECK_FALSE(std::filesystem::exists(taken + ".part"));
  CHECK_FALSE(std::filesystem::exists(options.output_folder + "/mix.wav.part"));
}

TEST_CASE_METHOD(Fixture, "a failed separation is told with its reason, and exits with 5") {
  gateway.outcome = v1::Separation::STATE_FAILED;
  const absl::Status status = RunSeparate();
  CHECK(base::ReasonOf(status) == "CHUNK_FAILED");
  CHECK(ExitCodeOf(status) == ExitCode::kFailed);
}

TEST_CASE_METHOD(Fixture, "Ctrl-C cancels the separation, and exits with 130") {
  gateway.watch_for_ever = true;
  std::thread user([this] {
    gateway.watching.WaitForNotification();
    interrupt.Request();
  });
  const absl::Status status = RunSeparate();
  user.join();
  CHECK(ExitCodeOf(status) == ExitCode::kCancelled);
  CHECK(gateway.cancelled());
}

TEST_CASE_METHOD(Fixture, "Ctrl-C while the separation is being created cancels it") {
  gateway.on_create = [this] { interrupt.Request(); };
  const absl::Status status = RunSeparate();
  CHECK(ExitCodeOf(status) == ExitCode::kCancelled);
  CHECK(gateway.cancelled());
}

TEST_CASE_METHOD(Fixture, "Ctrl-C goes on cancelling when the service is away for a moment") {
  gateway.watch_for_ever = true;
  gateway.cancels_refused = 3;
  std::thread user([this] {
    gateway.watching.WaitForNotification();
    interrupt.Request();
  });
  CHECK(ExitCodeOf(RunSeparate()) == ExitCode::kCancelled);
  user.join();
  CHECK(gateway.cancelled());
}

TEST_CASE_METHOD(
    Fixture, "an empty file is refused by the server with its reason, and exits with 3 (case 33)") {
  std::filesystem::resize_file(options.file, 0);
  const absl::Status status = RunSeparate();
  CHECK(base::ReasonOf(status) == "EMPTY_FILE");
  CHECK(ExitCodeOf(status) == ExitCode::kBadInput);
}

TEST_CASE_METHOD(Fixture, "a folder that cannot be written is found before the upload (case 36)") {
  options.output_folder = options.file + "/out";
  const absl::Status status = RunSeparate();
  CHECK(base::ReasonOf(status) == "OUTPUT_NOT_WRITABLE");
  CHECK(gateway.uploaded().empty());
}

TEST_CASE_METHOD(Fixture,
                 "a file that does not exist is told at once, and no folder is made for it") {
  options.file = folder + "/none.wav";
  const absl::Status status = RunSeparate();
  CHECK(base::ReasonOf(status) == "NO_SUCH_FILE");
  CHECK_FALSE(std::filesystem::exists(options.output_folder));
}

TEST_CASE_METHOD(Fixture, "an unknown stem is refused with a list of what there is") {
  GatewayClient client(gateway.address(), &interrupt, absl::Seconds(20));
  options.name = "separations/2";
  options.stems = {"piano"};
  const absl::Status status = DownloadCommand(options, &client, &reporter);
  CHECK(base::ReasonOf(status) == "UNKNOWN_STEM");
  CHECK_THAT(std::string(status.message()), Catch::Contains("vocals, mix"));
}

TEST_CASE_METHOD(PreparedSignals, "a gateway that is not there is given up after the patience") {
  Interrupt interrupt;
  GatewayClient client("127.0.0.1:1", &interrupt, absl::ZeroDuration());
  RecordingReporter reporter;
  const absl::Status status = Models(&client, &reporter);
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(ExitCodeOf(status) == ExitCode::kUnavailable);
}

}  // namespace
}  // namespace unbraid::cli
