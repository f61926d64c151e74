#ifndef UNBRAID_TESTS_COMPONENT_CLI_FAKE_GATEWAY_H_
#define UNBRAID_TESTS_COMPONENT_CLI_FAKE_GATEWAY_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/common/grpc/server.h"
#include "unbraid/v1/separation_service.grpc.pb.h"
#include "unbraid/v1/track_service.grpc.pb.h"

namespace unbraid::cli {

// A gateway with one track, one separation and two results, that can break connections at chosen
// places.
class FakeGateway {
 public:
  FakeGateway();
  ~FakeGateway();

  std::string address() const { return server_->address().ToString(); }

  // What happens; set before the calls.
  int64_t break_upload_after = -1;    // bytes taken until the stream fails with UNAVAILABLE, once
  int64_t break_download_after = -1;  // bytes sent until the stream fails with UNAVAILABLE, once
  int64_t stale_size = -1;            // what GetUpload tells once, instead of the truth
  bool damage_uploads = false;        // refuses every part
  std::function<void()> on_create;    // in the middle of CreateSeparation
  int cancels_refused = 0;            // so many calls fail with UNAVAILABLE
  bool watch_for_ever = false;        // until it is cancelled
  v1::Separation::State outcome = v1::Separation::STATE_SUCCEEDED;
  std::string first_stem = "vocals";
  std::string stem_content = std::string(600'000, 's');
  std::string sent_content;  // what downloads really send; the same unless a test says otherwise

  // What has happened.
  std::string uploaded() const;
  bool cancelled() const;
  v1::Separation created() const;  // as it was asked for
  absl::Notification watching;

 private:
  class Tracks;
  class Separations;

  v1::Separation MakeSeparation(v1::Separation::State state) const;

  mutable absl::Mutex mutex_;
  std::string uploaded_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  v1::Separation created_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<Tracks> tracks_;
  std::unique_ptr<Separations> separations_;
  std::unique_ptr<grpc_util::Server> server_;
};

}  // namespace unbraid::cli

#endif  // UNBRAID_TESTS_COMPONENT_CLI_FAKE_GATEWAY_H_
