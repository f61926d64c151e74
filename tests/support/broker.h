#ifndef UNBRAID_TESTS_SUPPORT_BROKER_H_
#define UNBRAID_TESTS_SUPPORT_BROKER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace unbraid::test_support {

// A RabbitMQ node of a test's own: its own name, ports, folder, cookie, password and epmd, all on
// loopback. It never touches a node that the machine may run besides. Started as root it runs as
// the user `rabbitmq`. It and its epmd end with the object, and with the process should that be
// killed. One thread at a time.
class Broker {
 public:
  // Returns when the node takes connections.
  static absl::StatusOr<std::unique_ptr<Broker>> Start();
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  const std::string& host() const { return host_; }
  int port() const { return port_; }
  const std::string& user() const { return user_; }
  const std::string& password() const { return password_; }

  // A clean stop: clients are told.
  absl::Status Stop();
  // As if the machine had lost its power.
  absl::Status Kill();
  // Again after Stop or Kill, at the same port with the same data; returns when it takes
  // connections.
  absl::Status Run();

  // The output of `rabbitmqctl --quiet ARGUMENTS`. Takes seconds.
  absl::StatusOr<std::string> Ctl(const std::vector<std::string>& arguments);

 private:
  Broker();
  absl::Status WriteFiles();
  absl::Status StartEpmd();
  absl::Status AwaitPort();
  std::vector<std::string> AsBrokerUser(const std::vector<std::string>& arguments) const;

  const TempDir folder_;
  const std::string host_ = "127.0.0.1";
  const std::string user_ = "unbraid";
  std::string password_;
  std::string node_;
  int port_ = 0;
  int epmd_port_ = 0;
  std::map<std::string, std::string> environment_;
  ChildProcess epmd_;
  ChildProcess node_process_;
};

}  // namespace unbraid::test_support

#endif  // UNBRAID_TESTS_SUPPORT_BROKER_H_
