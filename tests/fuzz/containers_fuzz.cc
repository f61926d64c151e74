// The walks over the chunks of a WAV file and over the pages of an Ogg file.
#include "services/common/audio/ogg_pages.h"
#include "services/common/audio/wav_header.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/memory_file.h"

namespace {

using unbraid::store::File;

void CheckWav(const File& file, int64_t size) {
  const auto header = unbraid::audio::ReadWavHeader(file);
  UNBRAID_FUZZ_CHECK(header.ok());
  UNBRAID_FUZZ_CHECK(header->format_tag >= 0 && header->format_tag <= 0xFFFF);
  if (!header->lost_length_at.has_value()) return;
  // Four bytes of the file are read as if they were others.
  UNBRAID_FUZZ_CHECK(*header->lost_length_at >= 0 && *header->lost_length_at + 4 <= size);
}

void CheckOgg(const File& file) {
  const absl::Status status = unbraid::audio::CheckOggPages(file);
  const std::string reason = unbraid::base::ReasonOf(status);
  UNBRAID_FUZZ_CHECK(status.ok() || reason == "CORRUPT_AUDIO" || reason == "UNSUPPORTED_AUDIO");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const memory = new unbraid::fuzz::MemoryFile;
  memory->Fill(data, size);
  const File file = memory->Open();
  CheckWav(file, static_cast<int64_t>(size));
  CheckOgg(file);
  (void)unbraid::audio::ForeignInOgg(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
