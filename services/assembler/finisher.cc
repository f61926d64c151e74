#include "services/assembler/finisher.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
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

// All computed stems of a separation, block by block in step, at the track's rate.
class StemReader {
 public:
  // Interleaved frames of each computed stem, and of the mix last; all of the same length.
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
    return reader;
  }

  // The next block; false at the end.
  absl::StatusOr<bool> Next(Block* block) {
    if (finished_) return false;
    const int64_t frames = std::min(kBlockFrames, job_.model_frames - position_);
    block->assign(inputs_.size() + 1, {});
    for (size_t i = 0; i < inputs_.size(); ++i) {
      UNBRAID_RETURN_IF_ERROR(Read(&inputs_[i], frames, &(*block)[i]));
    }
    position_ += frames;
    finished_ = frames == 0;
    Mix(block);
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
    std::vector<float>& mix = block->back();
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
  int64_t position_ = 0;
  bool finished_ = false;
};

// The files of a separation in the making.
class OutputSet {
 public:
  OutputSet(const Job& job, const ChunkFiles& files) : job_(job), files_(files) {}

  absl::Status Create() {
    for (int i = 0; i < job_.computed_stems(); ++i) {
      const std::string& name = job_.open.model_stems(job_.open.computed_stems(i));
      const auto& wanted = job_.open.separation().stems();
      if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) {
        UNBRAID_RETURN_IF_ERROR(Add(name, static_cast<size_t>(i)));
      }
    }
    return Add(kMix, static_cast<size_t>(job_.computed_stems()));
  }

  absl::Status Write(const StemReader::Block& block, float gain) {
    for (Output& output : outputs_) {
      const std::vector<float>& samples = block[output.source];
      UNBRAID_RETURN_IF_ERROR(output.encoder->Write(
          samples.data(), static_cast<int64_t>(samples.size()) / job_.channels(), gain));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<v1::StemFile>> Finish() {
    std::vector<v1::StemFile> results;
    for (Output& output : outputs_) {
      UNBRAID_RETURN_IF_ERROR(output.encoder->Finish());
      const std::string extension = job_.output_format().Extension();
      const std::string path = files_.OutputPath(output.name, extension);
      UNBRAID_RETURN_IF_ERROR(store::RenameDurably(path + ".tmp", path));
      UNBRAID_ASSIGN_OR_RETURN(const int64_t size, store::FileSize(path));
      UNBRAID_ASSIGN_OR_RETURN(const base::Sha256Digest digest, base::Sha256OfFile(path));
      v1::StemFile& result = results.emplace_back();
      result.set_name(base::StemName(job_.id, output.name));
      result.set_stem(output.name);
      result.set_size_bytes(size);
      result.set_sha256(base::ToHex(digest));
      result.set_frames(job_.open.track().frames());
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

  absl::Status Add(const std::string& name, size_t source) {
    const audio::OutputFormat format = job_.output_format();
    const v1::Track& track = job_.open.track();
    UNBRAID_ASSIGN_OR_RETURN(
        auto encoder,
        audio::Encoder::Create(files_.OutputPath(name, format.Extension()) + ".tmp", format,
                               track.sample_rate_hz(), track.channels(), track.frames()));
    outputs_.push_back({name, source, std::move(encoder)});
    return absl::OkStatus();
  }

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

}  // namespace

absl::StatusOr<FinishResult> Finish(const Job& job, const ChunkFiles& files,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(double share)>& progress) {
  constexpr double kHalf = 0.5;
  const int bits = audio::IntegerBits(job.output_format().sample_format);
  audio::PeakMeter meter;
  if (bits > 0) {
    UNBRAID_RETURN_IF_ERROR(ForEachBlock(
        job, files, cancelled, [&](double share) { progress(share * kHalf); },
        [&](const StemReader::Block& block) {
          for (const auto& part : block) meter.Add(part.data(), static_cast<int64_t>(part.size()));
          return absl::OkStatus();
        }));
  }
  const float gain = audio::CommonGain(meter, bits);
  OutputSet outputs(job, files);
  UNBRAID_RETURN_IF_ERROR(outputs.Create());
  UNBRAID_RETURN_IF_ERROR(ForEachBlock(
      job, files, cancelled, [&](double share) { progress(kHalf + share * kHalf); },
      [&](const StemReader::Block& block) { return outputs.Write(block, gain); }));
  FinishResult result;
  result.gain_db = audio::ToDecibel(gain);
  UNBRAID_ASSIGN_OR_RETURN(result.outputs, outputs.Finish());
  return result;
}

}  // namespace unbraid::assembler
