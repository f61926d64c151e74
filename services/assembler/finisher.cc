#include "services/assembler/finisher.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/assembler/residual_reader.h"
#include "services/common/audio/encoder.h"
#include "services/common/audio/levels.h"
#include "services/common/audio/resampler.h"
#include "services/common/base/sha256.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::assembler {
namespace {

constexpr int64_t kBlockFrames = 65'536;
constexpr char kMix[] = "mix";
constexpr char kResidual[] = "residual";
// Less than this is no room.
constexpr int64_t kNoRoomBytes = int64_t{1} << 20;

// All computed stems of a separation, block by block in step, at the track's rate.
class StemReader {
 public:
  // Interleaved frames of each computed stem, then of the mix, then of the residual if there is to
  // be one; all of the same length.
  using Block = std::vector<std::vector<float>>;

  static absl::StatusOr<StemReader> Open(const Job& job, const ChunkFiles& files) {
    StemReader reader(job);
    const v1::Track& track = job.open.track();
    for (int i = 0; i < job.computed_stems(); ++i) {
      UNBRAID_ASSIGN_OR_RETURN(store::File file,
                               store::File::Open(files.JoinedPath(i), store::File::Mode::kRead));
      UNBRAID_ASSIGN_OR_RETURN(
          auto resampler, audio::Resampler::Create(job.open.model_rate_hz(), track.sample_rate_hz(),
                                                   track.channels(), track.frames()));
      reader.inputs_.push_back({std::move(file), std::move(resampler)});
    }
    if (job.open.separation().residual()) {
      UNBRAID_ASSIGN_OR_RETURN(reader.residual_, ResidualReader::Open(files.SongPath()));
    }
    return reader;
  }

  // The next block; false at the end.
  absl::StatusOr<bool> Next(Block* block) {
    if (finished_) return false;
    const int64_t frames = std::min(kBlockFrames, job_.model_frames - position_);
    block->assign(inputs_.size() + (residual_ ? 2 : 1), {});
    for (size_t i = 0; i < inputs_.size(); ++i) {
      UNBRAID_RETURN_IF_ERROR(Read(&inputs_[i], frames, &(*block)[i]));
    }
    position_ += frames;
    finished_ = frames == 0;
    Mix(block);
    if (!residual_) return true;
    UNBRAID_RETURN_IF_ERROR(residual_->Next(absl::MakeConstSpan(block->data(), inputs_.size()),
                                            &(*block)[inputs_.size() + 1]));
    return true;
  }

  double share() const {
    return static_cast<double>(position_) /
           static_cast<double>(std::max<int64_t>(job_.model_frames, 1));
  }

 private:
  struct Input {
    store::File file;
    std::unique_ptr<audio::Resampler> resampler;
  };

  explicit StemReader(const Job& job) : job_(job) {
    for (int stem : job.open.computed_stems()) {
      const auto& gains = job.open.separation().mix().gains();
      const auto gain = gains.find(job.open.model_stems(stem));
      mix_gains_.push_back(gain == gains.end() ? 0 : gain->second);
    }
  }

  absl::Status Read(Input* input, int64_t frames, std::vector<float>* out) {
    if (frames == 0) return input->resampler->Finish(out);
    const int channels = job_.channels();
    const int64_t frame_bytes = channels * static_cast<int64_t>(sizeof(float));
    std::vector<float> samples(static_cast<size_t>(frames * channels));
    UNBRAID_ASSIGN_OR_RETURN(
        const int64_t got,
        input->file.ReadAt(position_ * frame_bytes, reinterpret_cast<char*>(samples.data()),
                           frames * frame_bytes));
    if (got != frames * frame_bytes) {
      return absl::DataLossError(
          absl::StrCat(input->file.path(), " is shorter than its record says"));
    }
    return input->resampler->Process(samples.data(), frames, out);
  }

  void Mix(Block* block) const {
    std::vector<float>& mix = (*block)[inputs_.size()];
    mix.resize(block->front().size());
    for (size_t sample = 0; sample < mix.size(); ++sample) {
      double sum = 0;
      for (size_t i = 0; i < inputs_.size(); ++i)
        sum += mix_gains_[i] * static_cast<double>((*block)[i][sample]);
      mix[sample] = static_cast<float>(sum);
    }
  }

  const Job& job_;
  std::vector<double> mix_gains_;
  std::vector<Input> inputs_;
  std::optional<ResidualReader> residual_;
  int64_t position_ = 0;
  bool finished_ = false;
};

// The files of a separation in the making.
class OutputSet {
 public:
  OutputSet(const Job& job, const ChunkFiles& files) : job_(job), files_(files) {
    const auto& wanted = job.open.separation().stems();
    for (int i = 0; i < job.computed_stems(); ++i) {
      const std::string& name = job.open.model_stems(job.open.computed_stems(i));
      if (std::find(wanted.begin(), wanted.end(), name) != wanted.end())
        outputs_.push_back({name, static_cast<size_t>(i), nullptr});
    }
    const auto mix = static_cast<size_t>(job.computed_stems());
    outputs_.push_back({kMix, mix, nullptr});
    if (job.open.separation().residual()) outputs_.push_back({kResidual, mix + 1, nullptr});
  }

  // A stem that only the mix needs is no output, and cannot clip.
  void Measure(const StemReader::Block& block, audio::PeakMeter* meter) const {
    for (const Output& output : outputs_) {
      const std::vector<float>& samples = block[output.source];
      meter->Add(samples.data(), static_cast<int64_t>(samples.size()));
    }
  }

  absl::Status Create() {
    const audio::OutputFormat format = job_.output_format();
    const v1::Track& track = job_.open.track();
    for (Output& output : outputs_) {
      UNBRAID_ASSIGN_OR_RETURN(
          output.encoder,
          audio::Encoder::Create(files_.OutputPath(output.name, format.Extension()) + ".tmp",
                                 format, track.sample_rate_hz(), track.channels(), track.frames(),
                                 {track.title(), track.artist(), track.album(), output.name}));
    }
    return absl::OkStatus();
  }

  absl::Status Write(const StemReader::Block& block, float gain) {
    for (Output& output : outputs_) {
      const std::vector<float>& samples = block[output.source];
      UNBRAID_RETURN_IF_ERROR(output.encoder->Write(
          samples.data(), static_cast<int64_t>(samples.size()) / job_.channels(), gain));
    }
    return absl::OkStatus();
  }

  int64_t clipped_samples() const {
    int64_t sum = 0;
    for (const Output& output : outputs_) sum += output.encoder->limited_samples();
    return sum;
  }

  absl::StatusOr<std::vector<v1::StemFile>> Finish() {
    const audio::OutputFormat format = job_.output_format();
    const v1::Track& track = job_.open.track();
    std::vector<v1::StemFile> results;
    for (Output& output : outputs_) {
      UNBRAID_RETURN_IF_ERROR(output.encoder->Finish());
      const std::string extension = format.Extension();
      const std::string path = files_.OutputPath(output.name, extension);
      UNBRAID_RETURN_IF_ERROR(store::RenameDurably(path + ".tmp", path));
      UNBRAID_ASSIGN_OR_RETURN(const int64_t size, store::FileSize(path));
      UNBRAID_ASSIGN_OR_RETURN(const base::Sha256Digest digest, base::Sha256OfFile(path));
      v1::StemFile& result = results.emplace_back();
      result.set_name(base::StemName(job_.id, output.name));
      result.set_stem(output.name);
      result.set_size_bytes(size);
      result.set_sha256(base::ToHex(digest));
      result.set_frames(format.Frames(track.frames(), track.sample_rate_hz()));
      result.set_sample_rate_hz(format.RateHz(track.sample_rate_hz()));
      result.set_extension(extension);
    }
    return results;
  }

 private:
  struct Output {
    std::string name;
    size_t source;  // which part of a block
    std::unique_ptr<audio::Encoder> encoder;
  };

  const Job& job_;
  const ChunkFiles& files_;
  std::vector<Output> outputs_;
};

using BlockVisitor = std::function<absl::Status(const StemReader::Block&)>;

absl::Status ForEachBlock(const Job& job, const ChunkFiles& files,
                          const std::atomic<bool>& cancelled,
                          const std::function<void(double)>& progress, const BlockVisitor& visit) {
  UNBRAID_ASSIGN_OR_RETURN(StemReader reader, StemReader::Open(job, files));
  StemReader::Block block;
  while (true) {
    if (cancelled) return absl::CancelledError("the separation has ended");
    UNBRAID_ASSIGN_OR_RETURN(const bool more, reader.Next(&block));
    if (!more) return absl::OkStatus();
    UNBRAID_RETURN_IF_ERROR(visit(block));
    progress(reader.share());
  }
}

absl::StatusOr<FinishResult> Write(const Job& job, const ChunkFiles& files,
                                   const std::atomic<bool>& cancelled,
                                   const std::function<void(double share)>& progress) {
  const audio::OutputFormat format = job.output_format();
  // For the gain, everything is read twice.
  const double first_pass = audio::TakesGain(format) ? 0.5 : 0;
  OutputSet outputs(job, files);
  audio::PeakMeter meter;
  if (audio::TakesGain(format)) {
    UNBRAID_RETURN_IF_ERROR(ForEachBlock(
        job, files, cancelled, [&](double share) { progress(share * first_pass); },
        [&](const StemReader::Block& block) {
          outputs.Measure(block, &meter);
          return absl::OkStatus();
        }));
  }
  const float gain = audio::CommonGain(meter, format);
  UNBRAID_RETURN_IF_ERROR(outputs.Create());
  UNBRAID_RETURN_IF_ERROR(ForEachBlock(
      job, files, cancelled, [&](double share) { progress(first_pass + share * (1 - first_pass)); },
      [&](const StemReader::Block& block) { return outputs.Write(block, gain); }));
  FinishResult result;
  result.gain_db = audio::ToDecibel(gain);
  result.clipped_samples = outputs.clipped_samples();
  UNBRAID_ASSIGN_OR_RETURN(result.outputs, outputs.Finish());
  return result;
}

}  // namespace

absl::StatusOr<FinishResult> Finish(const Job& job, const ChunkFiles& files,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(double share)>& progress) {
  absl::StatusOr<FinishResult> result = Write(job, files, cancelled, progress);
  if (result.ok() || absl::IsResourceExhausted(result.status()) ||
      absl::IsCancelled(result.status()))
    return result;
  // What writes audio does not always say why it failed, least of all when it completes a file.
  const absl::StatusOr<int64_t> free = store::FreeBytes(files.folder());
  if (!free.ok() || *free >= kNoRoomBytes) return result;
  return base::Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", result.status().message());
}

}  // namespace unbraid::assembler
