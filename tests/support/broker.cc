#include "tests/support/broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace unbraid::test_support {
namespace {

constexpr char kBrokerUser[] = "rabbitmq";
constexpr char kPrograms[] = "/usr/lib/rabbitmq/bin";
constexpr absl::Duration kStartLimit = absl::Seconds(90);
constexpr absl::Duration kStopLimit = absl::Seconds(30);
constexpr absl::Duration kLookAgain = absl::Milliseconds(50);

std::string RandomHex() {
  std::random_device device;
  return absl::StrFormat("%08x%08x", device(), device());
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Ports that were free a moment ago. All are held until the last is known, so that they differ.
// They lie below the range from which the kernel gives ports to others, so that none is taken
// before the broker has it.
std::vector<int> FreePorts(size_t count) {
  std::random_device device;
  std::uniform_int_distribution<int> any(20'000, 31'999);
  std::vector<int> sockets;
  std::vector<int> ports;
  while (ports.size() < count) {
    const int port = any(device);
    const sockaddr_in address = Loopback(port);
    sockets.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(sockets.back(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
      ports.push_back(port);
  }
  for (const int descriptor : sockets) close(descriptor);
  return ports;
}

bool Accepts(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(port);
  const int result = connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  close(descriptor);
  return result == 0;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

Broker::Broker() = default;

absl::StatusOr<std::unique_ptr<Broker>> Broker::Start() {
  std::unique_ptr<Broker> broker(new Broker());
  absl::Status status = broker->WriteFiles();
  if (status.ok()) status = broker->StartEpmd();
  if (status.ok()) status = broker->Run();
  if (!status.ok()) return status;
  return broker;
}

absl::Status Broker::WriteFiles() {
  const std::vector<int> ports = FreePorts(3);
  port_ = ports[0];
  epmd_port_ = ports[2];
  password_ = RandomHex();
  node_ = absl::StrCat("unbraid-test-", RandomHex(), "@localhost");
  const std::string& root = folder_.path();
  std::ofstream(root + "/rabbitmq.conf") << "listeners.tcp.1 = " << host_ << ":" << port_ << "\n"
                                         << "default_user = " << user_ << "\n"
                                         << "default_pass = " << password_ << "\n"
                                         << "disk_free_limit.absolute = 50MB\n"
                                         << "raft.wal_max_size_bytes = 67108864\n";
  std::ofstream(root + "/enabled_plugins") << "[].\n";
  std::ofstream(root + "/rabbitmq-env.conf") << "";
  environment_ = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"LANG", "C.UTF-8"},
      {"HOME", root},  // the cookie lies here
      {"RABBITMQ_NODENAME", node_},
      {"RABBITMQ_NODE_IP_ADDRESS", host_},
      {"RABBITMQ_NODE_PORT", std::to_string(port_)},
      {"RABBITMQ_DIST_PORT", std::to_string(ports[1])},
      {"ERL_EPMD_PORT", std::to_string(epmd_port_)},
      {"ERL_EPMD_ADDRESS", host_},
      {"RABBITMQ_CONF_ENV_FILE", root + "/rabbitmq-env.conf"},
      {"RABBITMQ_CONFIG_FILE", root + "/rabbitmq.conf"},
      {"RABBITMQ_MNESIA_BASE", root + "/mnesia"},
      {"RABBITMQ_LOG_BASE", root + "/log"},
      {"RABBITMQ_PID_FILE", root + "/pid"},
      {"RABBITMQ_ENABLED_PLUGINS_FILE", root + "/enabled_plugins"},
      {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}"},
      // The script then becomes the node, so that the process we know is the node itself.
      {"RUNNING_UNDER_SYSTEMD", "1"},
  };
  if (geteuid() != 0) return absl::OkStatus();
  const passwd* user = getpwnam(kBrokerUser);
  if (user == nullptr) return absl::NotFoundError("rabbitmq-server is not installed");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (chown(entry.path().c_str(), user->pw_uid, user->pw_gid) != 0) {
      return absl::InternalError("cannot give the broker's files to its user");
    }
  }
  if (chown(root.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return absl::InternalError("cannot give the broker's folder to its user");
  }
  return absl::OkStatus();
}

std::vector<std::string> Broker::AsBrokerUser(const std::vector<std::string>& arguments) const {
  // The node gets a signal of its own should this process be killed.
  std::vector<std::string> all = {"setpriv", "--pdeathsig", "KILL"};
  if (geteuid() == 0) {
    const std::string user = kBrokerUser;
    all.insert(all.end(), {"--reuid", user, "--regid", user, "--init-groups"});
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

absl::Status Broker::StartEpmd() {
  // In the foreground: otherwise the node starts one that outlives it.
  ChildProcess::Command command;
  command.arguments =
      AsBrokerUser({"epmd", "-address", host_, "-port", std::to_string(epmd_port_)});
  command.environment = environment_;
  absl::StatusOr<ChildProcess> started = ChildProcess::Start(command);
  if (!started.ok()) return started.status();
  epmd_ = *std::move(started);
  const absl::Time limit = absl::Now() + kStartLimit;
  while (!Accepts(epmd_port_)) {
    if (!epmd_.running() || absl::Now() > limit) return absl::InternalError("epmd did not start");
    absl::SleepFor(kLookAgain);
  }
  return absl::OkStatus();
}

absl::Status Broker::Run() {
  ChildProcess::Command command;
  command.arguments = AsBrokerUser({absl::StrCat(kPrograms, "/rabbitmq-server")});
  command.environment = environment_;
  command.output_file = folder_.path() + "/output";
  absl::StatusOr<ChildProcess> started = ChildProcess::Start(command);
  if (!started.ok()) return started.status();
  node_process_ = *std::move(started);
  return AwaitPort();
}

absl::Status Broker::AwaitPort() {
  // The listener is the last thing that a starting node opens.
  const absl::Time limit = absl::Now() + kStartLimit;
  while (!Accepts(port_)) {
    if (!node_process_.running() || absl::Now() > limit) {
      return absl::InternalError(
          absl::StrCat("the broker did not start:\n", ReadAll(folder_.path() + "/output")));
    }
    absl::SleepFor(kLookAgain);
  }
  return absl::OkStatus();
}

absl::Status Broker::Stop() { return node_process_.Terminate(kStopLimit).status(); }

absl::Status Broker::Kill() {
  const absl::Status sent = node_process_.Signal(SIGKILL);
  return sent.ok() ? node_process_.Wait(kStopLimit).status() : sent;
}

absl::StatusOr<std::string> Broker::Ctl(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {absl::StrCat(kPrograms, "/rabbitmqctl"), "--quiet", "-n", node_};
  all.insert(all.end(), arguments.begin(), arguments.end());
  ChildProcess::Command command;
  command.arguments = AsBrokerUser(all);
  command.environment = environment_;
  return RunToEnd(std::move(command), kStartLimit);
}

Broker::~Broker() {
  // Nobody will read its data again, so it need not stop cleanly.
  node_process_ = ChildProcess();
  epmd_ = ChildProcess();
}

}  // namespace unbraid::test_support
