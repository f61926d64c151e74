#ifndef UNBRAID_SERVICES_COMMON_TELEMETRY_LOG_H_
#define UNBRAID_SERVICES_COMMON_TELEMETRY_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unbraid::telemetry {

// One named fact of a log line.
class Field {
 public:
  using Value = std::variant<std::string, int64_t, double, bool>;

  Field(absl::string_view key, absl::string_view value) : key_(key), value_(std::string(value)) {}
  Field(absl::string_view key, const std::string& value) : key_(key), value_(value) {}
  Field(absl::string_view key, const char* value) : key_(key), value_(std::string(value)) {}
  Field(absl::string_view key, const absl::Status& status)
      : key_(key), value_(status.ToString(absl::StatusToStringMode::kWithNoExtraData)) {}
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  Field(absl::string_view key, T value) : key_(key), value_(Narrow(value)) {}

  const std::string& key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  template <typename T>
  static Value Narrow(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(value);
    } else {
      return static_cast<int64_t>(value);
    }
  }

  std::string key_;
  Value value_;
};

using Fields = std::initializer_list<Field>;

// Logs go to standard output, one JSON object a line:
//   {"time":"2026-01-31T12:00:00.000123Z","level":"info","service":"worker-1","message":"chunk
//   computed",
//    "separation":"456","chunk":3}
// The key of a separation is always "separation" (its id as a string), of a chunk "chunk", of a
// track "track". Thread-safe, before and after InitLogging. From InitLogging on, libraries write
// there too.
void InitLogging(const std::string& service, const std::string& level);

void Debug(absl::string_view message, Fields fields = {});
void Info(absl::string_view message, Fields fields = {});
void Warning(absl::string_view message, Fields fields = {});
void Error(absl::string_view message, Fields fields = {});

}  // namespace unbraid::telemetry

#endif  // UNBRAID_SERVICES_COMMON_TELEMETRY_LOG_H_
