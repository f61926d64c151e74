#ifndef UNBRAID_CLIENTS_CLI_PROGRESS_VIEW_H_
#define UNBRAID_CLIENTS_CLI_PROGRESS_VIEW_H_

#include <cstdint>
#include <memory>
#include <string>

#include "unbraid/v1/separation.pb.h"

namespace unbraid::cli {

// One moment of progress, ready to be drawn.
struct ProgressState {
  std::string stage;    // "Separating"
  double percent = 0;   // of this stage's bar
  std::string details;  // "chunk 21/47, 12.3 x real time, 0:21 left"
  std::string notice;   // what it waits for; empty: nothing is amiss
};

ProgressState UploadState(int64_t sent_bytes, int64_t total_bytes);
ProgressState SeparationState(const v1::Separation& separation);
ProgressState DownloadState(const std::string& stem, int64_t received_bytes, int64_t total_bytes);

// Draws progress on standard error.
class ProgressView {
 public:
  virtual ~ProgressView() = default;
  virtual void Update(const ProgressState& state) = 0;
  // A line that stays.
  virtual void Say(const std::string& line) = 0;
  // Takes the bar away, if there is one.
  virtual void Clear() = 0;
};

// A bar that is redrawn in place on a terminal; elsewhere a line when the stage or the notice
// changes, and every tenth.
std::unique_ptr<ProgressView> MakeProgressView(bool terminal);

// The bar as text, `width` columns wide at most; for tests.
std::string DrawBar(const ProgressState& state, int width);

}  // namespace unbraid::cli

#endif  // UNBRAID_CLIENTS_CLI_PROGRESS_VIEW_H_
