#ifndef UNBRAID_SERVICES_SPLITTER_SEND_WINDOW_H_
#define UNBRAID_SERVICES_SPLITTER_SEND_WINDOW_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/base/steady.h"
#include "services/splitter/broker.h"

namespace unbraid::splitter {

// How many chunks of a package may wait at the broker: enough that no worker ever finds nothing,
// and few enough that cancelling leaves little behind and the broker's memory stays bounded. Every
// new worker raises it, so that an autoscaler still sees pressure.
int64_t WindowFor(int64_t consumers);

// While more results wait, the assembler is away or behind, and nothing more is sent. As many as
// keep it busy until the next look: what waits here, a short song has before it.
inline constexpr int64_t kMaxWaitingResults = 64;

// Decides whether another chunk of a package may be sent. A look at a queue is used for `max_age`;
// what was sent since then, and what was not confirmed at that time, counts as waiting, so the
// window is never overrun. Thread-safe.
class SendWindow {
 public:
  // `depths` is not owned.
  SendWindow(QueueDepths* depths, absl::Duration max_age,
             std::function<absl::Time()> clock = base::SteadyNow);

  // Errors are those of QueueDepths: the broker is away. May wait for it.
  absl::StatusOr<bool> MaySend(const base::PackageId& package, const std::string& assembler);

  // A chunk was handed to the broker; its fate is known.
  void Sent(const base::PackageId& package);
  void Decided(const base::PackageId& package);

  // The queue of a package as it was at most `max_age` ago.
  absl::StatusOr<QueueCounts> Chunks(const base::PackageId& package);
  absl::StatusOr<QueueCounts> Results(const std::string& assembler);

 private:
  using Look = std::function<absl::StatusOr<QueueCounts>()>;
  struct View {
    absl::Time at = absl::InfinitePast();
    QueueCounts counts;
    int64_t sent = 0;          // ever
    int64_t unconfirmed = 0;   // now
    int64_t sent_before = 0;   // and confirmed when `counts` was asked for
    int64_t looks = 0;         // begun
    int64_t present_look = 0;  // number of the one that gave `counts`

    // Chunks that may wait there besides counts.ready.
    int64_t added() const { return sent - sent_before; }
  };

  absl::StatusOr<QueueCounts> Refreshed(const std::string& queue, const Look& look);

  QueueDepths* const depths_;
  const absl::Duration max_age_;
  const std::function<absl::Time()> clock_;

  absl::Mutex mutex_;
  std::map<std::string, View> views_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_SEND_WINDOW_H_
