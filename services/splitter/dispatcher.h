#ifndef UNBRAID_SERVICES_SPLITTER_DISPATCHER_H_
#define UNBRAID_SERVICES_SPLITTER_DISPATCHER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/common/store/object_folder.h"
#include "services/common/telemetry/metrics.h"
#include "services/splitter/broker.h"
#include "services/splitter/given_out.h"
#include "services/splitter/job.h"
#include "services/splitter/rotation.h"
#include "services/splitter/send_window.h"

namespace unbraid::splitter {

// Gives out the chunks of all prepared separations: they take turns, one chunk each, as long as the
// package's window has room. One thread cuts and sends. Delivery to the broker is at-least-once: a
// chunk whose message was lost before it was confirmed is sent again by the sink, and one that no
// queue wanted takes its turn again. Thread-safe.
class Dispatcher {
 public:
  // A chunk can never be sent (its spool is lost, or it is too large). Called on any thread, with
  // no lock held.
  using OnFailure = std::function<void(base::SeparationId id, int32_t attempt, absl::Status why)>;

  // Nothing is owned. `sink` must have decided every message before the dispatcher is destroyed.
  // `objects`: where samples are laid instead of into messages; null: nowhere. What finds no room
  // there, or is tried again, travels in its message.
  Dispatcher(ChunkSink* sink, SendWindow* window, telemetry::Metrics* metrics, OnFailure on_failure,
             const store::ObjectFolder* objects = nullptr);
  // Stops.
  ~Dispatcher();

  // Begins to send; without it, Step() is called by hand.
  void Start();

  // The routing key of results; nothing is sent before it is known.
  void SetAssembler(const std::string& assembler);
  std::string assembler() const;

  // Gives out all chunks of a prepared job but those marked in `done`.
  void Add(const Job& job, const std::string& spool_path, int64_t chunks,
           const std::vector<bool>& done);

  // The same while the spool is still being written, as `part_path`, until it gets its name:
  // nothing is given out but what SetReady lets.
  void AddGrowing(const Job& job, const std::string& spool_path, const std::string& part_path,
                  int64_t chunks, const std::vector<bool>& done);

  // The spool holds what chunks before this one need. Ignored for strangers and other attempts.
  void SetReady(base::SeparationId id, int32_t attempt, int64_t chunks);

  // Sends nothing more of a separation. When it returns, its spool is no longer needed.
  void Remove(base::SeparationId id);

  // Sends a chunk again; ignored for another attempt than the one that is being given out.
  void Retry(base::SeparationId id, int32_t attempt, int64_t chunk, int32_t try_number);

  // Sends all chunks again that are not marked in `done`.
  void Resend(base::SeparationId id, int32_t attempt, const std::vector<bool>& done);

  // Whether everything of a separation has been sent and confirmed, and when the last was.
  struct Quiet {
    bool all_sent = false;
    absl::Time last_sent = absl::InfinitePast();
  };
  Quiet QuietOf(base::SeparationId id) const;

  // What the broker has of all separations, or had before they were done.
  std::vector<GivenOut> given_out() const;

  // Sends one chunk if one may be sent. False: not now.
  bool Step();

  // Has the thread look at the windows again, should its clock have been set back while it waits.
  void Wake();

  // Sends nothing any more, and ends the thread. May be called twice.
  void Stop();

 private:
  struct Item {
    std::shared_ptr<const Job> job;
    std::string spool_path;
    std::string part_path;  // its name while it is being written; empty: it never was, here
    std::vector<bool> given_out;
    int64_t unconfirmed = 0;
    absl::Time last_sent = absl::InfinitePast();
  };
  // A chunk whose turn it is, with what is needed to send it.
  struct Order {
    std::shared_ptr<const Job> job;
    std::string spool_path;
    std::string part_path;
    std::string assembler;
    Rotation::Turn turn;
  };

  void Run();
  std::set<base::PackageId> OpenPackages();
  bool TakeOrder(const std::set<base::PackageId>& packages, Order* order);
  static absl::StatusOr<internal::v1::ChunkTask> Cut(const Order& order);
  void LayAside(internal::v1::ChunkTask* task) const;
  // False: not now.
  bool Send(const Order& order);
  bool OnNotCut(const Order& order, const absl::Status& why);
  static std::vector<bool> AtLeast(std::vector<bool> chunks, int64_t count);
  void OnDecided(const Order& order, const absl::Status& status);
  // The item of a job if that is still the one that is being given out.
  Item* Current(const Order& order) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ChunkSink* const sink_;
  SendWindow* const window_;
  const OnFailure on_failure_;
  const store::ObjectFolder* const objects_;
  prometheus::Counter& chunks_total_;
  prometheus::Counter& bytes_total_;
  prometheus::Gauge& active_;

  mutable absl::Mutex mutex_;
  std::string assembler_ ABSL_GUARDED_BY(mutex_);
  Rotation rotation_ ABSL_GUARDED_BY(mutex_);
  std::map<base::SeparationId, Item> items_ ABSL_GUARDED_BY(mutex_);
  int64_t unconfirmed_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t unconfirmed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool news_ ABSL_GUARDED_BY(mutex_) = false;  // something changed: look again at once
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  bool short_of_means_ = false;  // of the thread that steps: chunks cannot be cut, as was said
  std::thread thread_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_DISPATCHER_H_
