#include "services/common/samples/beside.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::samples {
namespace {

template <typename Message>
absl::Status LayAsideAny(const store::ObjectFolder& folder, const Owner& owner, Message* message) {
  UNBRAID_ASSIGN_OR_RETURN(std::string uri,
                           folder.Put(owner.assembler, owner.group(), message->samples()));
  internal::v1::ObjectReference* reference = message->mutable_samples_object();
  reference->set_uri(std::move(uri));
  reference->set_size_bytes(static_cast<int64_t>(message->samples().size()));
  message->clear_samples();
  return absl::OkStatus();
}

template <typename Message>
absl::Status FetchAny(const store::ObjectFolder* folder, Message* message) {
  const internal::v1::ObjectReference& reference = message->samples_object();
  if (folder == nullptr) {
    return absl::FailedPreconditionError("this process has no --object-folder");
  }
  const absl::Status read =
      folder->Read(reference.uri(), reference.size_bytes(), message->mutable_samples());
  if (read.ok()) return read;
  message->clear_samples();
  return read;
}

}  // namespace

std::string MissingText(const internal::v1::ObjectReference& object) {
  return absl::StrCat("the samples of the object ", object.uri(),
                      " cannot be read; splitter, workers and assembler need the same "
                      "--object-folder");
}

std::string Owner::group() const { return absl::StrCat(separation.value(), ".", attempt); }

absl::Status LayAside(const store::ObjectFolder& folder, const Owner& owner,
                      internal::v1::ChunkTask* task) {
  return LayAsideAny(folder, owner, task);
}

absl::Status LayAside(const store::ObjectFolder& folder, const Owner& owner,
                      internal::v1::StemSamples* stem) {
  return LayAsideAny(folder, owner, stem);
}

absl::Status Fetch(const store::ObjectFolder* folder, internal::v1::ChunkTask* task) {
  return FetchAny(folder, task);
}

absl::Status Fetch(const store::ObjectFolder* folder, internal::v1::StemSamples* stem) {
  return FetchAny(folder, stem);
}

}  // namespace unbraid::samples
