#ifndef UNBRAID_SERVICES_ASSEMBLER_ASSEMBLER_SERVER_H_
#define UNBRAID_SERVICES_ASSEMBLER_ASSEMBLER_SERVER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "services/assembler/assembler_service.h"
#include "services/assembler/config.h"
#include "services/assembler/result_consumer.h"
#include "services/common/base/steady.h"
#include "services/common/grpc/server.h"
#include "services/common/store/disk_watch.h"
#include "services/common/store/folder_lock.h"
#include "services/common/store/object_folder.h"
#include "services/common/telemetry/http_server.h"

namespace unbraid::assembler {

// The whole process: records and files, results consumer, gRPC server, probes.
class AssemblerServer {
 public:
  static absl::StatusOr<std::unique_ptr<AssemblerServer>> Create(const Config& config);
  // Drains.
  ~AssemblerServer();

  // The order: probes say no, watchers are sent away, calls end, the consumer finishes the result
  // at hand, the finishing is broken off (the next start takes it up). May be called twice.
  void Drain();

  const base::HostPort& address() const { return server_->address(); }

 private:
  explicit AssemblerServer(const Config& config);
  absl::Status Start();
  absl::Status CreateEngine();
  std::unique_ptr<AssemblerServiceImpl> MakeService();
  absl::Status Ready() const;
  void Beat();
  void PostTick();

  const Config config_;
  telemetry::Metrics metrics_;
  WatchHub hub_;
  WorkFeed feed_;
  base::Executor engine_executor_;
  base::Executor finishing_executor_;
  base::Executor disk_executor_;
  std::optional<store::FolderLock> lock_;       // before whatever is in the folder
  std::optional<store::ObjectFolder> objects_;  // none: samples come in messages alone
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<store::DiskWatch> disk_;
  std::unique_ptr<ResultConsumer> consumer_;
  std::unique_ptr<AssemblerServiceImpl> service_;
  std::unique_ptr<grpc_util::Server> server_;
  std::unique_ptr<telemetry::HttpServer> http_;

  std::atomic<bool> tick_posted_{false};

  base::StopSignal draining_;
  std::thread beat_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_ASSEMBLER_SERVER_H_
