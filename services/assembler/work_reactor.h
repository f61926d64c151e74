#ifndef UNBRAID_SERVICES_ASSEMBLER_WORK_REACTOR_H_
#define UNBRAID_SERVICES_ASSEMBLER_WORK_REACTOR_H_

#include <string>

#include "services/assembler/engine.h"
#include "services/common/grpc/stream_writer.h"
#include "unbraid/internal/v1/assembler_service.pb.h"

namespace unbraid::assembler {

// One WatchWork call of a splitter. Nothing is skipped; a splitter that falls too far behind is cut
// off with ABORTED and comes back to a fresh snapshot. Deletes itself.
class WorkReactor : public grpc_util::StreamWriter<internal::v1::WatchWorkResponse>,
                    private WorkFeed::Listener {
 public:
  WorkReactor(std::string splitter, Engine* engine, base::Executor* executor, WorkFeed* feed);

 private:
  ~WorkReactor() override;
  void OnWork(const internal::v1::WatchWorkResponse& news) override;
  void OnClosed() override;

  const std::string splitter_;
  WorkFeed* const feed_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_WORK_REACTOR_H_
