#include "services/assembler/residual_reader.h"

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::assembler {

absl::StatusOr<ResidualReader> ResidualReader::Open(const std::string& path) {
  UNBRAID_ASSIGN_OR_RETURN(store::File file, store::File::Open(path, store::File::Mode::kRead));
  return ResidualReader(std::move(file));
}

absl::Status ResidualReader::Next(absl::Span<const std::vector<float>> stems,
                                  std::vector<float>* residual) {
  residual->resize(stems.front().size());
  const auto bytes = static_cast<int64_t>(residual->size() * sizeof(float));
  UNBRAID_ASSIGN_OR_RETURN(
      const int64_t got,
      file_.ReadAt(position_bytes_, reinterpret_cast<char*>(residual->data()), bytes));
  if (got != bytes) {
    return absl::DataLossError(absl::StrCat(file_.path(), " is shorter than the stems"));
  }
  position_bytes_ += bytes;
  for (size_t sample = 0; sample < residual->size(); ++sample) {
    double sum = 0;
    for (const std::vector<float>& stem : stems) sum += static_cast<double>(stem[sample]);
    (*residual)[sample] = static_cast<float>(static_cast<double>((*residual)[sample]) - sum);
  }
  return absl::OkStatus();
}

}  // namespace unbraid::assembler
