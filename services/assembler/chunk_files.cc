#include "services/assembler/chunk_files.h"

#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/common/audio/interleave.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

std::string SeparationsFolder(const std::string& data_folder) {
  return absl::StrCat(data_folder, "/separations");
}

absl::StatusOr<std::vector<std::string>> Entries(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error)
    return absl::InternalError(absl::StrCat("cannot list ", folder, ": ", error.message()));
  return names;
}

absl::Status RemoveWorkFolders(const std::string& folder) {
  for (const char* part : {"/chunks", "/incoming", "/joined", "/song"}) {
    UNBRAID_RETURN_IF_ERROR(store::RemoveAll(folder + part));
  }
  return absl::OkStatus();
}

}  // namespace

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

std::string ChunkFiles::OutputPath(const std::string& name, const std::string& extension) const {
  return absl::StrCat(folder_, "/out/", name, ".", extension);
}

std::string ChunkFiles::ChunkPath(int64_t chunk, int stem) const {
  return absl::StrCat(folder_, "/chunks/", chunk, ".", stem);
}

absl::Status ChunkFiles::WriteChunk(int64_t chunk, int stem,
                                    const std::vector<float>& samples) const {
  return store::WriteFileDurably(
      ChunkPath(chunk, stem), audio::AsBytes(samples.data(), static_cast<int64_t>(samples.size())));
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

absl::Status ChunkFiles::SyncJoinedFolder() const { return store::SyncFolder(folder_ + "/joined"); }

absl::Status ChunkFiles::RemoveWork() const { return RemoveWorkFolders(folder_); }

absl::Status ChunkFiles::RemoveEverything() const { return store::RemoveAll(folder_); }

absl::Status RemoveSeparationFiles(const std::string& data_folder, base::SeparationId id) {
  return store::RemoveAll(absl::StrCat(SeparationsFolder(data_folder), "/", id.value()));
}

absl::Status RemoveLeftovers(const std::string& data_folder,
                             const std::set<base::SeparationId>& known,
                             const std::set<base::SeparationId>& active) {
  const std::string folder = SeparationsFolder(data_folder);
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(folder));
  UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> names, Entries(folder));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder, "/", name);
    int64_t id = 0;
    if (!absl::SimpleAtoi(name, &id) || known.count(base::SeparationId(id)) == 0) {
      UNBRAID_RETURN_IF_ERROR(store::RemoveAll(path));
    } else if (active.count(base::SeparationId(id)) == 0) {
      UNBRAID_ASSIGN_OR_RETURN(const std::vector<std::string> attempts, Entries(path));
      for (const std::string& attempt : attempts)
        UNBRAID_RETURN_IF_ERROR(RemoveWorkFolders(absl::StrCat(path, "/", attempt)));
    }
  }
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
