#ifndef UNBRAID_TESTS_SUPPORT_TCP_PROXY_H_
#define UNBRAID_TESTS_SUPPORT_TCP_PROXY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

struct pollfd;

namespace unbraid::test_support {

// A TCP proxy on loopback that plays a bad network. Thread-safe; one thread of its own.
class TcpProxy {
 public:
  // Listens at a free port and forwards to `target_port` on loopback.
  static absl::StatusOr<std::unique_ptr<TcpProxy>> Start(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }

  // Resets every connection there is, on both sides. The rest stays as it was.
  void CutAll();

  // New connections are refused, as if nobody listened, until Resume().
  void RefuseNew();

  // Nothing is forwarded any more, in any connection, but none is closed; new ones are accepted and
  // meet silence. Until Resume(), which forwards what has come in meanwhile.
  void BlackHole();

  void Resume();

  // How many connections were accepted since the start.
  int accepted() const;
  // False when the time is up first.
  bool AwaitAccepted(int count, absl::Duration timeout) const;
  // Bytes that clients have sent so far.
  size_t bytes_from_clients() const;
  bool AwaitBytesFromClients(size_t count, absl::Duration timeout) const;

 private:
  // One direction: what was read from `from` and not yet written to `to`.
  struct Flow {
    int from = -1;
    int to = -1;
    std::string waiting;
    bool ended = false;
  };
  struct Pair {
    int client = -1;
    int target = -1;
    std::array<Flow, 2> flows;
  };

  enum class Mode { kForward, kRefuse, kSilent };

  TcpProxy(int target_port, int wake_descriptor);

  // Returns when it is in force, so that a test need not wait for it.
  void Request(Mode mode, bool cut);
  absl::Status Listen();
  void Run();
  // False: the end.
  bool ApplyRequest(bool* silent);
  std::vector<pollfd> Watched(bool silent) const;
  void Accept();
  // False: a side is gone.
  bool Forward(Pair* pair);
  static void Reset(Pair* pair);
  void Wake();

  const int target_port_;
  const int wake_descriptor_;
  int port_ = 0;

  // Touched by the thread alone once it runs.
  int listener_ = -1;
  std::list<Pair> pairs_;

  mutable absl::Mutex mutex_;
  Mode mode_ ABSL_GUARDED_BY(mutex_) = Mode::kForward;
  bool cut_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int accepted_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_from_clients_ ABSL_GUARDED_BY(mutex_) = 0;
  bool applied_ ABSL_GUARDED_BY(mutex_) = true;

  std::thread thread_;
};

}  // namespace unbraid::test_support

#endif  // UNBRAID_TESTS_SUPPORT_TCP_PROXY_H_
