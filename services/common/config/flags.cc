#include "services/common/config/flags.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::config {
namespace {

constexpr int kWrongFlag = 2;

}  // namespace

absl::StatusOr<BrokerLogin> ResolveBroker(const BrokerConfig& config) {
  BrokerLogin login;
  UNBRAID_ASSIGN_OR_RETURN(login.address, base::ParseHostPort(config.address));
  login.vhost = config.vhost;
  login.user = config.user;
  if (config.password_file.empty()) {
    return absl::InvalidArgumentError(
        "--amqp-password-file is missing: name a file whose first line is the broker's password");
  }
  UNBRAID_ASSIGN_OR_RETURN(const std::string content, store::ReadSmallFile(config.password_file));
  login.password = content.substr(0, content.find_first_of("\r\n"));
  if (login.password.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the first line of ", config.password_file,
                                                   " is empty; it must be a password"));
  }
  return login;
}

absl::Duration TimeToLive(absl::Duration flag) {
  return flag == absl::ZeroDuration() ? absl::InfiniteDuration() : flag;
}

Flags::Flags(const std::string& name, const std::string& description) : app_(description, name) {
  app_.set_config("--config", "", "File with these options, in TOML");
  app_.allow_config_extras(CLI::config_extras_mode::error);  // a misspelt line must not be lost
  app_.set_version_flag("--version", std::string(UNBRAID_VERSION));
  app_.add_flag("--print-config", print_config_, "Print the options in force, and end")
      ->configurable(false);
}

void Flags::Add(CommonConfig* config) {
  Add("--log-level", &config->log_level, "Least severe level that is logged")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  Add("--http", &config->http, "HOST:PORT for /healthz, /readyz and /metrics; empty: none");
  Add("--address-file", &config->address_file, "File that receives the bound addresses");
}

void Flags::Add(BrokerConfig* config) {
  Add("--amqp", &config->address, "HOST:PORT of RabbitMQ");
  Add("--amqp-vhost", &config->vhost, "Virtual host of RabbitMQ");
  Add("--amqp-user", &config->user, "User at RabbitMQ");
  Add("--amqp-password-file", &config->password_file, "File whose first line is the password");
}

void Flags::AddDuration(const std::string& flag, absl::Duration* value, const std::string& help) {
  app_.add_option_function<std::string>(
          flag,
          [value, flag](const std::string& text) {
            if (!absl::ParseDuration(text, value) || *value < absl::ZeroDuration()) {
              throw CLI::ValidationError(flag, "not a duration such as 500ms, 30s or 2h: " + text);
            }
          },
          help)
      ->default_str(absl::FormatDuration(*value))
      ->envname(EnvironmentName(flag));
}

// The library would let the file win over the environment. So what the environment says, and the
// command line does not, is added to the command line.
std::vector<std::string> Flags::WithEnvironment(int argc, char** argv) const {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::vector<std::string> added;
  for (const CLI::Option* option : app_.get_options()) {
    const char* value =
        option->get_envname().empty() ? nullptr : std::getenv(option->get_envname().c_str());
    if (value == nullptr || *value == '\0') continue;
    const std::string flag = option->get_name();
    const bool given =
        std::any_of(arguments.begin(), arguments.end(), [&flag](const std::string& argument) {
          return argument == flag || absl::StartsWith(argument, absl::StrCat(flag, "="));
        });
    if (!given) added.push_back(absl::StrCat(flag, "=", value));
  }
  added.insert(added.end(), arguments.begin(), arguments.end());
  return added;
}

std::optional<int> Flags::Parse(int argc, char** argv) {
  std::vector<std::string> arguments = WithEnvironment(argc, argv);
  std::reverse(arguments.begin(), arguments.end());  // as the library wants them
  try {
    app_.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    // Prints help, version, or what is wrong, for which the library has many numbers.
    return app_.exit(error) == 0 ? 0 : kWrongFlag;
  }
  if (!print_config_) return std::nullopt;
  std::cout << app_.config_to_str(/*default_also=*/true, /*write_description=*/true);
  return 0;
}

std::string Flags::EnvironmentName(const std::string& flag) {
  const size_t start = flag.find_first_not_of('-');
  return absl::StrCat("UNBRAID_",
                      absl::AsciiStrToUpper(absl::StrReplaceAll(flag.substr(start), {{"-", "_"}})));
}

absl::Status WriteAddressFile(const std::string& path, const std::string& grpc_address,
                              const std::string& http_address) {
  if (path.empty()) return absl::OkStatus();
  std::string content;
  if (!grpc_address.empty()) absl::StrAppend(&content, "grpc=", grpc_address, "\n");
  if (!http_address.empty()) absl::StrAppend(&content, "http=", http_address, "\n");
  return store::WriteFileDurably(path, content);
}

}  // namespace unbraid::config
