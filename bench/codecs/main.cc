// unbraid-codecs: what the splitter and the assembler do to the audio of one track, with their own
// code and nothing else of them.
#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "services/assembler/finisher.h"
#include "services/common/base/memory.h"
#include "services/common/base/status.h"
#include "services/common/decode/decoder_process.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "services/common/store/files.h"
#include "services/splitter/preparation.h"

namespace unbraid::codecs {
namespace {

constexpr int kModelRateHz = 44'100;
constexpr int kStems = 4;

audio::OpenAudio Sandboxed() {
  decode::SandboxOptions sandbox;
  sandbox.program = decode::DefaultDecoderProgram();
  return [sandbox](const std::string& path, const audio::DecodeOptions& options)
             -> absl::StatusOr<std::unique_ptr<audio::AudioReader>> {
    return decode::SandboxedDecoder::Open(path, options, sandbox);
  };
}

// As the splitter does when a track is uploaded.
absl::StatusOr<int64_t> Check(const std::string& track) {
  UNBRAID_ASSIGN_OR_RETURN(const auto reader, Sandboxed()(track, {}));
  constexpr int64_t kBlockFrames = 65'536;
  std::vector<float> block(static_cast<size_t>(kBlockFrames * reader->format().channels));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const int64_t got, reader->Read(block.data(), kBlockFrames));
    if (got == 0) return reader->position();
  }
}

// As the splitter does when a separation begins: decodes, resamples, spools.
absl::Status Split(const std::string& track, int rate_hz, int64_t frames,
                   const std::string& spool) {
  splitter::PreparationInput input;
  input.track_path = track;
  input.spool_path = spool;
  input.track_rate_hz = rate_hz;
  input.track_frames = frames;
  input.model_rate_hz = kModelRateHz;
  input.open_audio = Sandboxed();
  UNBRAID_ASSIGN_OR_RETURN(const auto preparation, splitter::Preparation::Create(input));
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool complete, preparation->Step());
    if (complete) return absl::OkStatus();
  }
}

// As the assembler does when the last chunk is joined: four stems and their mix. Their joined files
// must lie in `data`, where an assembler has those of the first attempt at separation 1.
absl::Status Assemble(const std::string& data, int rate_hz, int64_t frames) {
  assembler::Job job;
  job.id = base::SeparationId(1);
  job.separation.set_attempt(1);
  job.open.set_model_rate_hz(kModelRateHz);
  v1::Track* track = job.open.mutable_track();
  track->set_sample_rate_hz(rate_hz);
  track->set_channels(2);
  track->set_frames(frames);
  v1::Separation* wanted = job.open.mutable_separation();
  for (int stem = 0; stem < kStems; ++stem) {
    const std::string name = std::to_string(stem);
    job.open.add_computed_stems(stem);
    job.open.add_model_stems(name);
    wanted->add_stems(name);
    (*wanted->mutable_mix()->mutable_gains())[name] = 1;
  }
  wanted->mutable_output_format()->set_container(v1::OutputFormat::CONTAINER_FLAC);
  wanted->mutable_output_format()->set_sample_format(v1::SAMPLE_FORMAT_S24);
  wanted->mutable_output_format()->set_clip(v1::OutputFormat::CLIP_POLICY_GAIN);
  wanted->mutable_output_format()->set_dither(v1::OutputFormat::DITHER_NONE);
  const assembler::ChunkFiles files(data, job.id, job.attempt());
  UNBRAID_RETURN_IF_ERROR(files.MakeFolders());
  UNBRAID_ASSIGN_OR_RETURN(const int64_t bytes, store::FileSize(files.JoinedPath(0)));
  job.model_frames = bytes / (2 * static_cast<int64_t>(sizeof(float)));
  assembler::Finisher finisher(job, files, std::make_shared<const std::atomic<bool>>(false));
  return finisher.Finish([](double) {}).status();
}

int Report(const absl::Status& status) {
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << status << std::endl;
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace unbraid::codecs

int main(int argc, char** argv) {
  unbraid::base::KeepLargeBlocks();  // as both services do
  CLI::App app("What splitter and assembler do to audio");
  app.require_subcommand(1);
  std::string path;
  std::string spool;
  int rate_hz = 0;
  int64_t frames = 0;
  CLI::App* check = app.add_subcommand("check", "decode a track and print its frames");
  check->add_option("track", path)->required();
  CLI::App* split = app.add_subcommand("split", "decode and resample a track to a spool");
  split->add_option("track", path)->required();
  split->add_option("rate", rate_hz, "Hz")->required();
  split->add_option("frames", frames)->required();
  split->add_option("spool", spool)->required();
  CLI::App* assemble = app.add_subcommand("assemble", "make five files of four joined stems");
  assemble->add_option("data", path)->required();
  assemble->add_option("rate", rate_hz, "Hz")->required();
  assemble->add_option("frames", frames)->required();
  CLI11_PARSE(app, argc, argv);
  if (*split) return unbraid::codecs::Report(unbraid::codecs::Split(path, rate_hz, frames, spool));
  if (*assemble) return unbraid::codecs::Report(unbraid::codecs::Assemble(path, rate_hz, frames));
  const auto counted = unbraid::codecs::Check(path);
  if (counted.ok()) std::cout << *counted << std::endl;
  return unbraid::codecs::Report(counted.status());
}
