#include "services/worker/window_adapter.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace unbraid::worker {
namespace {

using internal::v1::ChunkTask;

static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "samples travel as little-endian float32");

// Frame after the last one that belongs to the track: a window yields all its frames up to the end
// of the track.
int64_t EndFrame(const ChunkTask& task) { return task.keep_offset() + task.keep_frames(); }

void Normalise(const ChunkTask& task, float* channel) {
  // Skipped where it changes nothing, so that such samples pass as the same bits.
  if (task.mean() == 0 && task.scale() == 1) return;
  const int64_t end = EndFrame(task);
  for (int64_t frame = task.track_offset(); frame < end; ++frame) {
    channel[frame] = static_cast<float>((channel[frame] - task.mean()) / task.scale());
  }
}

void Append(const float* from, size_t count, std::string* samples) {
  samples->append(reinterpret_cast<const char*>(from), count * sizeof(float));
}

// Appends the mean of two channels, which may be the same one, with the normalisation undone.
void AppendDenormalised(const ChunkTask& task, absl::Span<const float> first, const float* second,
                        std::string* samples) {
  std::array<float, 1024> block;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  for (size_t begin = 0; begin < first.size(); begin += block.size()) {
    const size_t count = std::min(block.size(), first.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      // In double the mean of two equal floats is that float.
      const double sum =
          static_cast<double>(first[begin + i]) + static_cast<double>(second[begin + i]);
      block[i] = static_cast<float>(sum * 0.5 * task.scale() + task.mean());
    }
    Append(block.data(), count, samples);
  }
}

}  // namespace

int WindowAdapter::WindowCount(const ChunkTask& task) const {
  return geometry_.channels == 1 ? task.channels() : 1;
}

void WindowAdapter::AppendWindows(const ChunkTask& task, std::vector<float>* windows) const {
  const auto frames = static_cast<size_t>(geometry_.window_frames);
  const int copies = WindowCount(task) * geometry_.channels;
  const size_t start = windows->size();
  windows->resize(start + static_cast<size_t>(copies) * frames);
  for (int copy = 0; copy < copies; ++copy) {
    const auto from = static_cast<size_t>(std::min(copy, task.channels() - 1));
    float* to = windows->data() + start + static_cast<size_t>(copy) * frames;
    std::memcpy(to, task.samples().data() + from * frames * sizeof(float), frames * sizeof(float));
    Normalise(task, to);
  }
}

void WindowAdapter::KeepStem(const ChunkTask& task, int stem, absl::Span<const float> output,
                             std::string* samples) const {
  const auto frames = static_cast<size_t>(geometry_.window_frames);
  const auto keep = static_cast<size_t>(task.keep_frames());
  const bool average = task.channels() < geometry_.channels;
  samples->clear();
  samples->reserve(static_cast<size_t>(task.channels()) * keep * sizeof(float));
  for (int channel = 0; channel < task.channels(); ++channel) {
    const int plane = geometry_.channels == 1 ? channel * geometry_.stems + stem
                                              : stem * geometry_.channels + channel;
    const float* first = output.data() + static_cast<size_t>(plane) * frames + task.keep_offset();
    if (!average && task.mean() == 0 && task.scale() == 1) {
      Append(first, keep, samples);
    } else {
      AppendDenormalised(task, {first, keep}, average ? first + frames : first, samples);
    }
  }
}

}  // namespace unbraid::worker
