#include "clients/cli/reporter.h"

#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "clients/cli/progress_view.h"
#include "clients/cli/text_format.h"
#include "services/common/base/status.h"

namespace unbraid::cli {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  // It fails only for messages that hold an Any of an unknown type; the API has none.
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return Json();
  return Json::parse(text);
}

std::ostream* StreamOf(ResultsTo results) {
  return results == ResultsTo::kStandardOutput ? &std::cout : &std::cerr;
}

absl::Status WrittenTo(const std::ostream& out) {
  if (out.good()) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, "OUTPUT_NOT_WRITABLE",
                     "The results cannot be told: nobody reads them, or the disk is full.");
}

class JsonReporter : public Reporter {
 public:
  explicit JsonReporter(std::ostream* out) : out_(out) {}

  void Uploading(int64_t sent_bytes, int64_t total_bytes) override {
    Print({{"event", "uploading"}, {"sent_bytes", sent_bytes}, {"total_bytes", total_bytes}});
  }
  void Uploaded(const v1::Track& track) override {
    Print({{"event", "uploaded"}, {"track", ToJson(track)}});
  }
  void Progress(const v1::Separation& separation) override {
    Print({{"event", "progress"}, {"separation", ToJson(separation)}});
  }
  void Downloading(const std::string& stem, int64_t received_bytes, int64_t total_bytes) override {
    Print({{"event", "downloading"},
           {"stem", stem},
           {"received_bytes", received_bytes},
           {"total_bytes", total_bytes}});
  }
  void Wrote(const std::string& stem, const std::string& path) override {
    Print({{"event", "file"}, {"stem", stem}, {"path", path}});
  }
  void Show(const std::string& kind, const google::protobuf::Message& message,
            const std::string&) override {
    Print({{"event", kind}, {kind, ToJson(message)}});
  }
  void Failed(const absl::Status& status) override {
    Json line = {{"event", "error"},
                 {"code", absl::StatusCodeToString(status.code())},
                 {"reason", base::ReasonOf(status)},
                 {"message", std::string(status.message())}};
    for (const auto& [key, value] : base::FactsOf(status)) line["facts"][key] = value;
    Print(line);
  }

  absl::Status Written() const override { return WrittenTo(*out_); }

 private:
  void Print(const Json& line) {
    // Paths may hold bytes that are no UTF-8.
    *out_ << line.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }

  std::ostream* const out_;
};

class TextReporter : public Reporter {
 public:
  explicit TextReporter(std::ostream* out)
      : out_(out), view_(MakeProgressView(isatty(STDERR_FILENO) != 0)) {}

  void Uploading(int64_t sent_bytes, int64_t total_bytes) override {
    view_->Update(UploadState(sent_bytes, total_bytes));
  }
  void Uploaded(const v1::Track& track) override { view_->Say(DescribeTrack(track)); }
  void Progress(const v1::Separation& separation) override {
    view_->Update(SeparationState(separation));
  }
  void Downloading(const std::string& stem, int64_t received_bytes, int64_t total_bytes) override {
    view_->Update(DownloadState(stem, received_bytes, total_bytes));
  }
  void Wrote(const std::string&, const std::string& path) override {
    view_->Clear();
    *out_ << path << std::endl;
  }
  void Show(const std::string&, const google::protobuf::Message&,
            const std::string& text) override {
    view_->Clear();
    *out_ << text << std::flush;
  }
  void Failed(const absl::Status& status) override {
    const std::string reason = base::ReasonOf(status);
    view_->Say(absl::StrCat("unbraid: ", status.message(), reason.empty() ? "" : " [", reason,
                            reason.empty() ? "" : "]"));
  }
  absl::Status Written() const override { return WrittenTo(*out_); }

 private:
  std::ostream* const out_;
  const std::unique_ptr<ProgressView> view_;
};

}  // namespace

std::unique_ptr<Reporter> MakeTextReporter(ResultsTo results) {
  return std::make_unique<TextReporter>(StreamOf(results));
}

std::unique_ptr<Reporter> MakeJsonReporter(ResultsTo results) {
  return std::make_unique<JsonReporter>(StreamOf(results));
}

}  // namespace unbraid::cli
