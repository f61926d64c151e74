#ifndef UNBRAID_SERVICES_COMMON_CONFIG_FLAGS_H_
#define UNBRAID_SERVICES_COMMON_CONFIG_FLAGS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/base/host_port.h"

namespace unbraid::config {

// What every service can be told.
struct CommonConfig {
  // Least severe log level that is written: debug, info, warning or error.
  std::string log_level = "info";

  // Address of the HTTP server for /healthz, /readyz and /metrics; empty: none; port 0: any free
  // port.
  std::string http;

  // File to which the bound addresses are written once the service listens, as lines
  // `grpc=HOST:PORT` and `http=HOST:PORT`; empty: none.
  std::string address_file;
};

// How to reach the broker.
struct BrokerConfig {
  // HOST:PORT of RabbitMQ.
  std::string address = "127.0.0.1:5672";

  // Virtual host.
  std::string vhost = "/";

  // User; its password is read from `password_file` (first line) and from nowhere else.
  std::string user = "unbraid";
  std::string password_file;
};

// The broker's address and password, checked and read.
struct BrokerLogin {
  base::HostPort address;
  std::string vhost;
  std::string user;
  std::string password;
};

// INVALID_ARGUMENT when the address is malformed, or what reading the password file says.
absl::StatusOr<BrokerLogin> ResolveBroker(const BrokerConfig& config);

// A time to live, as flags tell it: 0 means for ever, and becomes infinite.
absl::Duration TimeToLive(absl::Duration flag);

// A CLI11 application in the project's manner: every flag can also come from the environment
// (UNBRAID_ and the flag's name in capitals) and from --config FILE (TOML); the command line wins
// over the environment, the environment over the file. A line of the file that names no flag is an
// error, and an empty variable is none. --print-config prints what is in force and
// ends; --version does the same with the version.
class Flags {
 public:
  Flags(const std::string& name, const std::string& description);

  // To add options of one's own: flags.Add("--listen", &config.listen, "...").
  template <typename T>
  CLI::Option* Add(const std::string& flag, T* value, const std::string& help) {
    return app_.add_option(flag, *value, help)
        ->capture_default_str()
        ->envname(EnvironmentName(flag));
  }
  void Add(CommonConfig* config);
  void Add(BrokerConfig* config);
  // A duration such as 1500ms, 30s or 2h.
  void AddDuration(const std::string& flag, absl::Duration* value, const std::string& help);

  // Reads everything. A value means: end the process with this exit status now (0: help, version,
  // --print-config; 2: an error, which has been told on standard error).
  std::optional<int> Parse(int argc, char** argv);

  CLI::App& app() { return app_; }

 private:
  static std::string EnvironmentName(const std::string& flag);
  std::vector<std::string> WithEnvironment(int argc, char** argv) const;

  CLI::App app_;
  bool print_config_ = false;
};

// Writes the address file, durably and whole. Either part may be empty; so may `path` (then nothing
// is done).
absl::Status WriteAddressFile(const std::string& path, const std::string& grpc_address,
                              const std::string& http_address);

}  // namespace unbraid::config

#endif  // UNBRAID_SERVICES_COMMON_CONFIG_FLAGS_H_
