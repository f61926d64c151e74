#include "clients/cli/progress_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/text_format.h"

namespace unbraid::cli {
namespace {

constexpr int kDefaultColumns = 80;
constexpr int kBarCells = 24;
constexpr double kLineStep = 10;  // percent between two plain lines

double Percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 100.0;
}

std::string StageName(v1::Separation::State state) {
  switch (state) {
    case v1::Separation::STATE_PREPARING:
      return "Preparing";
    case v1::Separation::STATE_SEPARATING:
      return "Separating";
    case v1::Separation::STATE_FINISHING:
      return "Writing";
    case v1::Separation::STATE_SUCCEEDED:
      return "Done";
    case v1::Separation::STATE_FAILED:
      return "Failed";
    case v1::Separation::STATE_CANCELLED:
      return "Cancelled";
    default:
      return "Waiting";
  }
}

int Columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

class BarView : public ProgressView {
 public:
  ~BarView() override { Clear(); }
  void Update(const ProgressState& state) override {
    std::cerr << "\r\033[K" << DrawBar(state, Columns()) << std::flush;
    drawn_ = true;
  }
  void Say(const std::string& line) override {
    Clear();
    std::cerr << line << std::endl;
  }
  void Clear() override {
    if (drawn_) std::cerr << "\r\033[K" << std::flush;
    drawn_ = false;
  }

 private:
  bool drawn_ = false;
};

class LineView : public ProgressView {
 public:
  void Update(const ProgressState& state) override {
    const bool news = state.stage != stage_ || state.notice != notice_;
    if (!news && state.percent < next_percent_) return;
    stage_ = state.stage;
    notice_ = state.notice;
    next_percent_ = kLineStep * (static_cast<int>(state.percent / kLineStep) + 1);
    Say(absl::StrFormat("%s %.0f %%%s%s%s%s", state.stage, state.percent,
                        state.details.empty() ? "" : ", ", state.details,
                        state.notice.empty() ? "" : " - ", state.notice));
  }
  void Say(const std::string& line) override { std::cerr << line << std::endl; }
  void Clear() override {}

 private:
  std::string stage_;
  std::string notice_;
  double next_percent_ = 0;
};

}  // namespace

ProgressState UploadState(int64_t sent_bytes, int64_t total_bytes) {
  ProgressState state;
  state.stage = "Uploading";
  state.percent = Percent(sent_bytes, total_bytes);
  state.details = absl::StrCat(FormatBytes(sent_bytes), " of ", FormatBytes(total_bytes));
  return state;
}

ProgressState SeparationState(const v1::Separation& separation) {
  const v1::Progress& progress = separation.progress();
  ProgressState state;
  state.stage = StageName(separation.state());
  state.percent = progress.percent();
  state.notice = progress.waiting_for();
  if (progress.chunks_total() > 0) {
    state.details = absl::StrCat("chunk ", progress.chunks_done(), "/", progress.chunks_total());
  }
  if (progress.speed() > 0) {
    absl::StrAppend(&state.details, absl::StrFormat(", %.1f x real time", progress.speed()));
  }
  if (progress.has_remaining()) {
    absl::StrAppend(&state.details, ", ", FormatClock(progress.remaining().seconds()), " left");
  }
  return state;
}

ProgressState DownloadState(const std::string& stem, int64_t received_bytes, int64_t total_bytes) {
  ProgressState state;
  state.stage = absl::StrCat("Fetching ", stem);
  state.percent = Percent(received_bytes, total_bytes);
  state.details = absl::StrCat(FormatBytes(received_bytes), " of ", FormatBytes(total_bytes));
  return state;
}

std::string DrawBar(const ProgressState& state, int width) {
  const double share = std::clamp(state.percent / 100, 0.0, 1.0);
  const int filled = static_cast<int>(share * kBarCells);
  std::string line = absl::StrFormat(
      "%-16s [%s%s] %5.1f %%  %s", state.stage, std::string(static_cast<size_t>(filled), '#'),
      std::string(static_cast<size_t>(kBarCells - filled), '-'), state.percent,
      state.notice.empty() ? state.details : state.notice);
  // One column stays free: a full line would wrap, and \r would no longer go back to its start.
  if (static_cast<int>(line.size()) >= width)
    line.resize(static_cast<size_t>(std::max(width - 1, 0)));
  return line;
}

std::unique_ptr<ProgressView> MakeProgressView(bool terminal) {
  if (terminal) return std::make_unique<BarView>();
  return std::make_unique<LineView>();
}

}  // namespace unbraid::cli
