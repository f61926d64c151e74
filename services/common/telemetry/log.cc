#include "services/common/telemetry/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/common/telemetry/library_log.h"

namespace unbraid::telemetry {
namespace {

struct Logger {
  std::shared_ptr<spdlog::logger> sink;
  std::string service = "unbraid";
};

// Set once at start; lines logged before that go out under a general name.
Logger& TheLogger() {
  static Logger logger = [] {
    Logger made;
    made.sink = std::make_shared<spdlog::logger>("unbraid",
                                                 std::make_shared<spdlog::sinks::stdout_sink_mt>());
    made.sink->set_pattern("%v");
    made.sink->flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

spdlog::level::level_enum ParseLevel(const std::string& level) {
  if (level == "debug") return spdlog::level::debug;
  if (level == "warning") return spdlog::level::warn;
  if (level == "error") return spdlog::level::err;
  return spdlog::level::info;
}

void Write(spdlog::level::level_enum level, absl::string_view name, absl::string_view message,
           Fields fields) {
  const Logger& logger = TheLogger();
  if (!logger.sink->should_log(level)) return;
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = std::string(name);
  line["service"] = logger.service;
  line["message"] = std::string(message);
  for (const Field& field : fields) {
    std::visit([&](const auto& value) { line[field.key()] = value; }, field.value());
  }
  // A label may hold bytes that are no UTF-8; they are replaced rather than thrown about.
  logger.sink->log(level, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void InitLogging(const std::string& service, const std::string& level) {
  Logger& logger = TheLogger();
  logger.service = service;
  logger.sink->set_level(ParseLevel(level));
  CaptureLibraryLog();
}

void Debug(absl::string_view message, Fields fields) {
  Write(spdlog::level::debug, "debug", message, fields);
}

void Info(absl::string_view message, Fields fields) {
  Write(spdlog::level::info, "info", message, fields);
}

void Warning(absl::string_view message, Fields fields) {
  Write(spdlog::level::warn, "warning", message, fields);
}

void Error(absl::string_view message, Fields fields) {
  Write(spdlog::level::err, "error", message, fields);
}

}  // namespace unbraid::telemetry
