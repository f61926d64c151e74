#ifndef UNBRAID_SERVICES_WORKER_BATCH_LIMIT_H_
#define UNBRAID_SERVICES_WORKER_BATCH_LIMIT_H_

namespace unbraid::worker {

// How large a batch the device's memory allows, learned from what fitted and what did not. A batch
// that does not fit halves the limit; when not even one window fits beside the batch before it,
// batches go one by one. Since the memory may have been somebody else's for a while, the limit is
// doubled again after a hundred batches that fitted; each time that this proves wrong, it
// takes twice as long until the next trial.
class BatchLimit {
 public:
  // `most`: windows of the largest batch that is wanted, at least 1.
  explicit BatchLimit(int most) : most_(most), now_(most) {}

  // Windows of a batch, at least 1.
  int now() const { return now_; }

  // Whether one batch may be on the device beside another.
  bool overlaps() const { return overlaps_; }

  // A batch of so many windows found no room.
  void OnOutOfMemory(int windows);

  // A batch was computed.
  void OnComputed();

 private:
  static constexpr int kPatience = 100;  // batches
  static constexpr int kMostPatience = 10'000;

  const int most_;
  int now_;
  bool overlaps_ = true;
  bool on_trial_ = false;  // the limit was raised, and has not proved itself yet
  int computed_ = 0;       // batches since the limit changed
  int patience_ = kPatience;
};

}  // namespace unbraid::worker

#endif  // UNBRAID_SERVICES_WORKER_BATCH_LIMIT_H_
