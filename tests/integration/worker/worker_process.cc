#include "tests/integration/worker/worker_process.h"

#include <httplib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace unbraid::worker {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kPause = absl::Milliseconds(20);
constexpr int kOk = 200;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(
    const test_support::Broker& broker, const std::vector<std::string>& flags) {
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess());
  const std::string folder = worker->folder_.path();
  std::ofstream(folder + "/password") << broker.password() << "\n";
  test_support::ChildProcess::Command command;
  command.arguments = {UNBRAID_WORKER_BINARY,
                       "--amqp",
                       absl::StrCat(broker.host(), ":", broker.port()),
                       "--amqp-user",
                       broker.user(),
                       "--amqp-password-file",
                       folder + "/password",
                       "--http",
                       "127.0.0.1:0",
                       "--address-file",
                       folder + "/addresses",
                       "--threads",
                       "1"};
  command.arguments.insert(command.arguments.end(), flags.begin(), flags.end());
  command.output_file = folder + "/log";
  auto process = test_support::ChildProcess::Start(command);
  if (!process.ok()) return process.status();
  worker->process_ = *std::move(process);
  return worker;
}

absl::StatusOr<std::string> WorkerProcess::Get(const std::string& path) {
  const std::string addresses = ReadAll(folder_.path() + "/addresses");
  for (const absl::string_view line : absl::StrSplit(addresses, '\n')) {
    if (absl::StartsWith(line, "http=")) http_ = std::string(line.substr(5));
  }
  if (http_.empty()) return absl::UnavailableError("no address yet");
  httplib::Client client("http://" + http_);
  const httplib::Result answer = client.Get(path.c_str());
  if (!answer) return absl::UnavailableError("no answer");
  if (answer->status != kOk) return absl::UnavailableError(answer->body);
  return answer->body;
}

template <typename Done>
absl::Status WorkerProcess::Poll(const std::string& what, Done done) {
  const absl::Time end = absl::Now() + kPatience;
  while (!done()) {
    if (!process_.running()) {
      return absl::AbortedError(absl::StrCat("the worker has ended before ", what, ":\n", Log()));
    }
    if (absl::Now() > end) return absl::DeadlineExceededError(absl::StrCat(what, ":\n", Log()));
    absl::SleepFor(kPause);
  }
  return absl::OkStatus();
}

absl::Status WorkerProcess::AwaitReady() {
  return Poll("ready", [this] { return Get("/readyz").ok(); });
}

absl::Status WorkerProcess::AwaitUnready() {
  return Poll("not ready", [this] { return !Get("/readyz").ok(); });
}

absl::Status WorkerProcess::AwaitMetric(const std::string& line) {
  return Poll(line, [this, &line] {
    const absl::StatusOr<std::string> metrics = Get("/metrics");
    return metrics.ok() && absl::StrContains("\n" + *metrics, "\n" + line + "\n");
  });
}

int64_t WorkerProcess::ResidentBytes() const {
  std::ifstream file(absl::StrCat("/proc/", process_.pid(), "/statm"));
  int64_t total = 0;
  int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::string WorkerProcess::Log() const { return ReadAll(folder_.path() + "/log"); }

}  // namespace unbraid::worker
