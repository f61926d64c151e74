#ifndef UNBRAID_SERVICES_ASSEMBLER_DOWNLOAD_REACTOR_H_
#define UNBRAID_SERVICES_ASSEMBLER_DOWNLOAD_REACTOR_H_

#include <memory>
#include <optional>
#include <string>

#include "services/assembler/engine.h"
#include "services/common/grpc/stream_writer.h"
#include "services/common/store/files.h"
#include "unbraid/v1/separation_service.pb.h"

namespace unbraid::assembler {

// One DownloadStem call. The next part is read from the disk, on an executor, only when the one
// before has been taken. Deletes itself.
class DownloadReactor : public grpc_util::StreamWriter<v1::DownloadStemResponse> {
 public:
  struct Parts {
    Engine* engine = nullptr;
    base::Executor* engine_executor = nullptr;
    base::Executor* disk_executor = nullptr;
    std::shared_ptr<void> place;  // null: there is none
  };

  DownloadReactor(std::string owner, const v1::DownloadStemRequest& request, const Parts& parts);

 private:
  ~DownloadReactor() override = default;
  void Begin(const base::StemRef& stem);
  absl::Status OpenFile(const base::StemRef& stem);
  void OnDrained() override;
  void ReadPart();
  absl::Status SendPart();

  const std::string owner_;
  const Parts parts_;
  int64_t offset_;
  std::optional<v1::StemFile> stem_file_;  // until it has been sent
  int64_t size_ = 0;
  std::optional<store::File> file_;
};

}  // namespace unbraid::assembler

#endif  // UNBRAID_SERVICES_ASSEMBLER_DOWNLOAD_REACTOR_H_
