#ifndef UNBRAID_CLIENTS_CLI_REPORTER_H_
#define UNBRAID_CLIENTS_CLI_REPORTER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "unbraid/v1/separation.pb.h"
#include "unbraid/v1/track.pb.h"

namespace google::protobuf {
class Message;
}

namespace unbraid::cli {

// Where the command tells what happens. Three kinds: a bar on a terminal, plain lines elsewhere,
// JSON for programs.
class Reporter {
 public:
  virtual ~Reporter() = default;

  virtual void Uploading(int64_t sent_bytes, int64_t total_bytes) = 0;
  virtual void Uploaded(const v1::Track& track) = 0;
  virtual void Progress(const v1::Separation& separation) = 0;
  virtual void Downloading(const std::string& stem, int64_t received_bytes,
                           int64_t total_bytes) = 0;
  virtual void Wrote(const std::string& stem, const std::string& path) = 0;
  // The answer of a command that asks for something. `kind` is its key in JSON, `text` is for
  // people.
  virtual void Show(const std::string& kind, const google::protobuf::Message& message,
                    const std::string& text) = 0;
  virtual void Failed(const absl::Status& status) = 0;

  // INVALID_ARGUMENT (OUTPUT_NOT_WRITABLE) once results could not be told: nobody reads any more,
  // or the disk is full.
  virtual absl::Status Written() const = 0;
};

// Where results go: standard output, unless that is for samples.
enum class ResultsTo { kStandardOutput, kStandardError };

// Text: progress and errors on standard error; a bar if that is a terminal.
std::unique_ptr<Reporter> MakeTextReporter(ResultsTo results);

// One object a line, errors too, all where the results go. docs/json.md describes each:
//   {"event":"uploading","sent_bytes":N,"total_bytes":N}
//   {"event":"uploaded","track":{...}}
//   {"event":"progress","separation":{...}}
//   {"event":"downloading","stem":"...","received_bytes":N,"total_bytes":N}
//   {"event":"file","stem":"...","path":"..."}
//   {"event":"<kind>","<kind>":{...}}
//   {"event":"error","code":"...","reason":"...","message":"...","facts":{"...":"..."}}
// `facts` is absent where there are none. Messages are in Protobuf's JSON form with the field names
// of the proto files.
std::unique_ptr<Reporter> MakeJsonReporter(ResultsTo results);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_REPORTER_H_
