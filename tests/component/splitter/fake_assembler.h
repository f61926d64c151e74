#ifndef UNBRAID_TESTS_COMPONENT_SPLITTER_FAKE_ASSEMBLER_H_
#define UNBRAID_TESTS_COMPONENT_SPLITTER_FAKE_ASSEMBLER_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/common/grpc/server.h"
#include "unbraid/internal/v1/assembler_service.grpc.pb.h"

namespace unbraid::splitter {

// An assembler that keeps its truth in memory and does as the test says. Thread-safe.
class FakeAssembler : public internal::v1::AssemblerService::Service {
 public:
  struct Record {
    internal::v1::OpenSeparationRequest open;
    std::string owner;
    v1::Separation::State state = v1::Separation::STATE_PREPARING;
    int32_t attempt = 0;
    int64_t model_frames = 0;
    int64_t chunks = 0;
    std::set<int64_t> done;
    std::map<int64_t, int32_t> retries;  // told again with every snapshot
    std::vector<std::string> waiting_for;
    v1::Failure failure;
    std::string song;  // bytes of the last one that was put whole
    int songs = 0;     // streams that were read to their end
  };

  FakeAssembler();
  ~FakeAssembler() override;

  // Serves at `port`; 0: any. Streams end, and nobody can connect, after StopServing().
  void Serve(int port = 0);
  void StopServing();
  std::string address() const;
  int port() const { return port_; }

  // A copy of a record; a default one when there is none.
  Record Get(int64_t id) const;
  int64_t opens() const;
  // The id of the only separation that there is.
  int64_t OnlyId() const;
  // Waits until a record satisfies `wanted`. False when the time is up first.
  bool Await(int64_t id, const std::function<bool(const Record&)>& wanted) const;
  // Waits until so many WatchWork streams have ever sent their snapshot.
  bool AwaitSnapshots(int count) const;

  // Ends a separation and tells the splitter.
  void End(int64_t id, v1::Separation::State state);
  // Ends it without a word, as if the stream had been down.
  void EndSilently(int64_t id, v1::Separation::State state);
  // The next separation is opened, but the splitter hears of that neither by the answer nor by the
  // stream.
  void LoseNextAnswer() {
    absl::MutexLock lock(&mutex_);
    lose_answer_ = true;
  }
  // Waits until separations were opened so many times.
  bool AwaitOpens(int64_t count) const;
  void SetDone(int64_t id, const std::set<int64_t>& chunks);
  void Retry(int64_t id, int64_t chunk, int32_t try_number);
  // The next songs are refused like this after their first part.
  void RefuseSongs(std::vector<grpc::Status> refusals);
  // Forgets the songs of so many plans, just before it is asked for them.
  void LosePlannedSongs(int count);
  // Reads no further than the first part of a song until ServeSongs() is called, or the call ends.
  void HoldSongs();
  void ServeSongs();
  // Waits until so many songs have been begun.
  bool AwaitSongsBegun(int count) const;
  // Waits until so many calls of PutSong were cancelled.
  bool AwaitSongsCancelled(int count) const;
  // A separation that this splitter never opened.
  void AddStranger(int64_t id);

  // What happens first when a separation is opened, and when a splitter begins to watch; set while
  // nobody calls.
  std::function<void()> on_open;
  std::function<void()> on_watch;

  grpc::Status OpenSeparation(grpc::ServerContext* context,
                              const internal::v1::OpenSeparationRequest* request,
                              internal::v1::OpenSeparationResponse* response) override;
  grpc::Status GetSeparation(grpc::ServerContext* context, const v1::GetSeparationRequest* request,
                             v1::Separation* response) override;
  grpc::Status PlanSeparation(grpc::ServerContext* context,
                              const internal::v1::PlanSeparationRequest* request,
                              google::protobuf::Empty* response) override;
  grpc::Status PutSong(grpc::ServerContext* context,
                       grpc::ServerReader<internal::v1::PutSongRequest>* reader,
                       google::protobuf::Empty* response) override;
  grpc::Status FailSeparation(grpc::ServerContext* context,
                              const internal::v1::FailSeparationRequest* request,
                              google::protobuf::Empty* response) override;
  grpc::Status ReportWaiting(grpc::ServerContext* context,
                             const internal::v1::ReportWaitingRequest* request,
                             google::protobuf::Empty* response) override;
  grpc::Status WatchWork(grpc::ServerContext* context,
                         const internal::v1::WatchWorkRequest* request,
                         grpc::ServerWriter<internal::v1::WatchWorkResponse>* writer) override;
  grpc::Status GetAssemblerStatus(grpc::ServerContext* context,
                                  const internal::v1::GetAssemblerStatusRequest* request,
                                  internal::v1::GetAssemblerStatusResponse* response) override;

 private:
  using News = std::deque<internal::v1::WatchWorkResponse>;

  News Snapshot() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(const internal::v1::WatchWorkResponse& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  grpc::Status BeginSong(grpc::ServerContext* context, const internal::v1::PutSongRequest& first);
  void EndNow(int64_t id, v1::Separation::State state, bool tell);
  static internal::v1::WatchWorkResponse Active(int64_t id, const Record& record);
  static internal::v1::WatchWorkResponse RetryNews(int64_t id, int32_t attempt, int64_t chunk,
                                                   int32_t try_number);

  std::unique_ptr<grpc_util::Server> server_;
  int port_ = 0;

  mutable absl::Mutex mutex_;
  std::map<int64_t, Record> records_ ABSL_GUARDED_BY(mutex_);
  std::set<News*> streams_ ABSL_GUARDED_BY(mutex_);
  int snapshots_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t opens_ ABSL_GUARDED_BY(mutex_) = 0;
  bool lose_answer_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<grpc::Status> song_refusals_ ABSL_GUARDED_BY(mutex_);
  bool holding_songs_ ABSL_GUARDED_BY(mutex_) = false;
  int songs_to_lose_ ABSL_GUARDED_BY(mutex_) = 0;
  int songs_begun_ ABSL_GUARDED_BY(mutex_) = 0;
  int songs_cancelled_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace unbraid::splitter

#endif  // UNBRAID_TESTS_COMPONENT_SPLITTER_FAKE_ASSEMBLER_H_
