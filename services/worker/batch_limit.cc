#include "services/worker/batch_limit.h"

#include <algorithm>

namespace unbraid::worker {

void BatchLimit::OnOutOfMemory(int windows) {
  computed_ = 0;
  if (on_trial_) patience_ = std::min(2 * patience_, kMostPatience);
  on_trial_ = false;
  if (windows > 1) {
    now_ = std::min(now_, windows / 2);
  } else {
    now_ = 1;
    overlaps_ = false;
  }
}

void BatchLimit::OnComputed() {
  if (overlaps_ && now_ == most_ && !on_trial_) return;
  if (++computed_ < patience_) return;
  computed_ = 0;
  if (on_trial_) patience_ = kPatience;
  on_trial_ = !overlaps_ || now_ < most_;
  if (overlaps_) now_ = std::min(most_, 2 * now_);
  overlaps_ = true;
}

}  // namespace unbraid::worker
