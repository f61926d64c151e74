#include "services/assembler/chunk_files.h"

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

absl::Status RemoveWorkFolders(const std::string& folder) {
  for (const char* part : {"/chunks", "/incoming", "/joined", "/song"}) {
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(folder + part));
  }
  return absl::OkStatus();
}

absl::Status RemoveOtherAttempts(const std::string& folder, const std::string& kept) {
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> attempts, store::ListFolder(folder));
  for (const std::string& attempt : attempts) {
    if (attempt != kept)
      UNBRAID_RETURN_IF_ERROR(store::RemoveAll(absl::StrCat(folder, "/", attempt)));
  }
  return absl::OkStatus();
}

absl::Status RemoveHalfWritten(const std::string& folder) {
  for (const char* part : {"/chunks", "/out"}) {
    const std::string path = folder + part;
    if (!store::FileSize(path).ok()) continue;  // there is no such folder
    UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> names, store::ListFolder(path));
    for (const std::string& name : names) {
      if (absl::EndsWith(name, ".tmp"))
        UNBRAID_RETURN_IF_ERROR(store::RemoveAll(absl::StrCat(path, "/", name)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string SeparationsFolder(const std::string& data_folder) {
  return absl::StrCat(data_folder, "/separations");
}

ChunkFiles::ChunkFiles(const std::string& data_folder, base::SeparationId id, int attempt)
    : folder_(absl::StrCat(SeparationsFolder(data_folder), "/", id.value(), "/", attempt)) {}

absl::Status ChunkFiles::MakeFolders() const {
  for (const char* part : {"/chunks", "/joined", "/out"}) {
    UNBRAID_RETURN_IF_ERROR(store::MakeFolders(folder_ + part));
  }
  return absl::OkStatus();
}

absl::Status ChunkFiles::MakeIncomingFolder() const {
  return store::MakeFolders(folder_ + "/incoming");
}

std::string ChunkFiles::IncomingPath(int64_t stream) const {
  return absl::StrCat(folder_, "/incoming/", stream);
}

absl::Status ChunkFiles::RemoveIncoming() const { return store::RemoveAll(folder_ + "/incoming"); }

std::string ChunkFiles::SongPath() const { return folder_ + "/song"; }

std::string ChunkFiles::JoinedPath(int stem) const {
  return absl::StrCat(folder_, "/joined/", stem);
}

std::string ChunkFiles::PassPath(int pass, int stem) const {
  return absl::StrCat(JoinedPath(stem), ".", pass);
}

std::string ChunkFiles::TailsPath(int slot) const {
  return absl::StrCat(folder_, "/joined/tails.", slot);
}

std::string ChunkFiles::OutputPath(const std::string& name, const std::string& extension) const {
  return absl::StrCat(folder_, "/out/", name, ".", extension);
}

int64_t ChunkFiles::OutputBytes() const {
  const std::string folder = absl::StrCat(folder_, "/out");
  int64_t bytes = 0;
  for (const std::string& name : store::ListFolder(folder).value_or(std::vector<std::string>()))
    bytes += store::FileSize(absl::StrCat(folder, "/", name)).value_or(0);
  return bytes;
}

std::string ChunkFiles::ChunkPath(int64_t chunk, int stem) const {
  return absl::StrCat(folder_, "/chunks/", chunk, ".", stem);
}

absl::Status ChunkFiles::WriteChunks(absl::Span<const ChunkPart> parts) const {
  std::vector<store::NamedContent> files;
  for (const ChunkPart& part : parts) {
    files.push_back(
        {ChunkPath(part.chunk, part.stem),
         audio::AsBytes(part.samples.data(), static_cast<int64_t>(part.samples.size()))});
  }
  return store::WriteFilesDurably(files);
}

absl::StatusOr<std::vector<float>> ChunkFiles::ReadChunk(int64_t chunk, int stem) const {
  UNBRAID_ASSIGN_OR_RETURN(const std::string bytes, store::ReadSmallFile(ChunkPath(chunk, stem)));
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  return samples;
}

absl::Status ChunkFiles::RemoveChunk(int64_t chunk, int stem) const {
  return store::RemoveAll(ChunkPath(chunk, stem));
}

absl::Status ChunkFiles::RemovePass(int pass, int stem) const {
  return store::RemoveAll(PassPath(pass, stem));
}

absl::Status ChunkFiles::SyncJoinedFolder() const { return store::SyncFolder(folder_ + "/joined"); }

absl::Status ChunkFiles::RemoveWork() const { return RemoveWorkFolders(folder_); }

absl::Status ChunkFiles::RemoveEverything() const { return store::RemoveAll(folder_); }

absl::Status RemoveSeparationFiles(const std::string& data_folder, base::SeparationId id) {
  return store::RemoveAll(absl::StrCat(SeparationsFolder(data_folder), "/", id.value()));
}

absl::Status RemoveLeftovers(const std::string& data_folder,
                             const std::map<base::SeparationId, int>& attempts,
                             const std::set<base::SeparationId>& active) {
  const std::string folder = SeparationsFolder(data_folder);
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(folder));
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> names, store::ListFolder(folder));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder, "/", name);
    int64_t number = 0;
    const base::SeparationId id(absl::SimpleAtoi(name, &number) ? number : -1);
    const auto attempt = attempts.find(id);
    if (attempt == attempts.end()) {
      UNBRAID_RETURN_IF_ERROR(store::RemoveAll(path));
      continue;
    }
    const std::string kept = absl::StrCat(attempt->second);
    UNBRAID_RETURN_IF_ERROR(RemoveOtherAttempts(path, kept));
    const std::string files = absl::StrCat(path, "/", kept);
    if (active.count(id) == 0) UNBRAID_RETURN_IF_ERROR(RemoveWorkFolders(files));
    UNBRAID_RETURN_IF_ERROR(RemoveHalfWritten(files));
  }
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
