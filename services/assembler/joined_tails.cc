#include "services/assembler/joined_tails.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

using store::File;

constexpr int64_t kHeaderBytes = sizeof(int64_t);

}  // namespace

absl::StatusOr<JoinedTails> JoinedTails::Open(const ChunkFiles& files) {
  JoinedTails tails(files);
  for (size_t slot = 0; slot < tails.counts_.size(); ++slot) {
    UNBRAID_ASSIGN_OR_RETURN(const File file, File::Open(files.TailsPath(static_cast<int>(slot)),
                                                         File::Mode::kCreateOrOpen));
    int64_t count = -1;
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got,
                             file.ReadAt(0, reinterpret_cast<char*>(&count), kHeaderBytes));
    if (got == kHeaderBytes) tails.counts_[slot] = count;
  }
  return tails;
}

absl::StatusOr<std::optional<JoinedTails::Samples>> JoinedTails::Load(int64_t count,
                                                                      int stems) const {
  const size_t slot = counts_[0] == count ? 0 : 1;
  if (counts_[slot] != count) return std::nullopt;
  const std::string path = files_.TailsPath(static_cast<int>(slot));
  UNBRAID_ASSIGN_OR_RETURN(const std::string bytes, store::ReadSmallFile(path));
  const size_t stem_bytes = (bytes.size() - kHeaderBytes) / static_cast<size_t>(stems);
  if (bytes.size() != kHeaderBytes + stem_bytes * static_cast<size_t>(stems) ||
      stem_bytes % sizeof(float) != 0) {
    return absl::DataLossError(absl::StrCat(path, " has ", bytes.size(), " bytes"));
  }
  Samples samples;
  for (const char* at = bytes.data() + kHeaderBytes; samples.size() < static_cast<size_t>(stems);
       at += stem_bytes) {
    std::vector<float>& tail = samples.emplace_back(stem_bytes / sizeof(float));
    std::copy_n(at, stem_bytes, reinterpret_cast<char*>(tail.data()));  // of which may be none
  }
  return samples;
}

absl::Status JoinedTails::Save(int64_t recorded, int64_t count,
                               absl::Span<const absl::Span<const float>> tails) {
  const size_t slot = counts_[0] == recorded ? 1 : 0;
  counts_[slot] = -1;  // until it is whole
  UNBRAID_ASSIGN_OR_RETURN(
      File file, File::Open(files_.TailsPath(static_cast<int>(slot)), File::Mode::kCreateOrOpen));
  int64_t end = kHeaderBytes;
  UNBRAID_RETURN_IF_ERROR(file.WriteAt(0, {reinterpret_cast<const char*>(&count), kHeaderBytes}));
  for (const absl::Span<const float> tail : tails) {
    const absl::string_view bytes = audio::AsBytes(tail.data(), static_cast<int64_t>(tail.size()));
    UNBRAID_RETURN_IF_ERROR(file.WriteAt(end, bytes));
    end += static_cast<int64_t>(bytes.size());
  }
  UNBRAID_RETURN_IF_ERROR(file.Truncate(end));
  UNBRAID_RETURN_IF_ERROR(file.Sync());
  counts_[slot] = count;
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
