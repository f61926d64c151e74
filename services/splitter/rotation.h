#ifndef UNBRAID_SERVICES_SPLITTER_ROTATION_H_
#define UNBRAID_SERVICES_SPLITTER_ROTATION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "services/common/base/ids.h"
#include "services/common/base/package_id.h"

namespace unbraid::splitter {

// Whose chunk is next: the separations take turns, one chunk each, in the order in which they came,
// so that a long one cannot hold up a short one. Plain data; not thread-safe.
class Rotation {
 public:
  struct Turn {
    base::SeparationId id;
    int64_t chunk = 0;
    int32_t try_number = 1;
  };

  // Lets a separation take part, with all chunks but those marked in `done` (which may be shorter
  // than the number of chunks) to be given out. One that takes part already begins anew.
  void Add(base::SeparationId id, const base::PackageId& package, int64_t chunks,
           const std::vector<bool>& done);

  void Remove(base::SeparationId id);

  // Only chunks before this one can be given out yet; without it, all can.
  void SetReady(base::SeparationId id, int64_t chunks);

  // A chunk is to be tried again, before those that were never given out. Ignored for strangers,
  // and when this try or a later one waits already or was given out on request: the same request
  // may come twice.
  void Retry(base::SeparationId id, int64_t chunk, int32_t try_number);

  // A chunk that was taken out could not be sent: it takes its turn again.
  void PutBack(const Turn& turn);

  // All chunks that are not marked in `done` are to be given out again, as second tries at least: a
  // notice of a failed first try may have been lost, and the assembler ignores failures of tries
  // that are older than the one it asked for.
  void Resend(base::SeparationId id, const std::vector<bool>& done);

  // The next chunk of a separation whose package `may` be sent to; takes it out.
  std::optional<Turn> Next(const std::function<bool(const base::PackageId& package)>& may);

  // Packages for which chunks wait that can be given out.
  std::set<base::PackageId> WaitingPackages() const;

  // Whether chunks of this separation wait, ready or not.
  bool HasWork(base::SeparationId id) const;

 private:
  struct Entry {
    base::PackageId package;
    int64_t chunks = 0;
    int64_t ready = 0;
    std::vector<bool> done;            // not to be given out in this round
    int64_t next = 0;                  // first chunk that the round has not reached
    int32_t round_try = 1;             // least try of the round
    std::map<int64_t, int32_t> again;  // chunk to try, given out before the round goes on
    std::map<int64_t, int32_t> tries;  // of chunks that had more than one
  };

  static void SkipDone(Entry* entry);
  static bool HasWork(const Entry& entry);
  static bool CanGive(const Entry& entry);
  static Turn Take(base::SeparationId id, Entry* entry);

  std::map<base::SeparationId, Entry> entries_;
  std::deque<base::SeparationId> ring_;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_SERVICES_SPLITTER_ROTATION_H_
