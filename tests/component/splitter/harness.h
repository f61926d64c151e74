#ifndef UNBRAID_TESTS_COMPONENT_SPLITTER_HARNESS_H_
#define UNBRAID_TESTS_COMPONENT_SPLITTER_HARNESS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/splitter/splitter.h"
#include "tests/component/splitter/fake_assembler.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/splitter/fixtures.h"
#include "unbraid/internal/v1/splitter_service.grpc.pb.h"

namespace unbraid::splitter {

// A song, and its chunks by the test package: strides of 900 frames.
constexpr int64_t kFrames = 4000;
constexpr int64_t kChunks = 5;

// A splitter on a free port, between a fake assembler and a fake broker.
class Harness {
 public:
  using Stub = internal::v1::SplitterService::Stub;

  Harness();
  ~Harness();

  // Begins with the files that there are.
  void StartSplitter();
  // Ends without ceremony; only files stay.
  void StopSplitter();

  // Uploads in parts of `part_bytes`, from `offset`; response and status as the client gets them.
  absl::StatusOr<v1::UploadTrackResponse> Upload(const std::string& id, const std::string& bytes,
                                                 size_t part_bytes = 256 << 10, size_t offset = 0,
                                                 bool finish = true);
  // Uploads a song and gives its track.
  v1::Track UploadSong(int64_t frames, int channels = 2, int rate_hz = 44'100);
  absl::StatusOr<v1::Separation> Start(const v1::Separation& wanted);
  // Starts a separation of a song with default options; gives its id.
  int64_t StartJob(const v1::Track& track);

  // The test package as new separations get it.
  base::PackageId Tiny() const { return LoadCatalogue(config_.models).default_package().id(); }

  std::string SpoolPath(int64_t id) const;
  Stub* stub() { return stub_.get(); }

  test_support::TempDir folder_;
  audio::OpenAudio open_audio_ = audio::OpenInProcess;
  Config config_;
  Room::FreeBytes free_bytes_ = store::FreeBytes;  // what the splitter believes
  FakeSink sink_;
  FakeDepths depths_;
  FakeAssembler assembler_;

 private:
  telemetry::Metrics metrics_;
  std::unique_ptr<Splitter> splitter_;
  std::unique_ptr<Stub> stub_;
};

// The number in `separations/123`.
int64_t IdOf(const v1::Separation& separation);

bool Separating(const FakeAssembler::Record& record);

// These chunks, each sent once.
std::map<int64_t, int> Once(const std::vector<int64_t>& chunks);

}  // namespace unbraid::splitter

#endif  // UNBRAID_TESTS_COMPONENT_SPLITTER_HARNESS_H_
