// unbraid-reference: takes a song apart in one process, whole, with the worker's model code and no
// broker, no chunks in messages, no resuming. What the distributed system writes must be the same
// bytes.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/reference/join.h"
#include "bench/reference/model_run.h"
#include "bench/reference/song.h"
#include "services/common/audio/encoder.h"
#include "services/common/audio/levels.h"
#include "services/common/audio/passes.h"
#include "services/common/audio/resampler.h"
#include "services/common/audio/tags.h"
#include "services/common/base/status.h"
#include "services/common/store/files.h"

namespace unbraid::reference {
namespace {

struct Options {
  std::string model;
  std::string format = "wav";
  std::string sample_format = "source";
  bool residual = false;
  int shifts = 0;
  int64_t shift_seed = 0;
  std::string song;
  std::string out;
};

audio::OutputFormat FormatOf(const Options& options) {
  audio::OutputFormat format;
  format.container =
      options.format == "flac" ? audio::OutputContainer::kFlac : audio::OutputContainer::kWav;
  if (options.sample_format == "s16") format.sample_format = audio::SampleFormat::kS16;
  if (options.sample_format == "s24") format.sample_format = audio::SampleFormat::kS24;
  if (options.sample_format == "f32") format.sample_format = audio::SampleFormat::kF32;
  return format;
}

// Each stem of the model, in one pass over the song.
absl::StatusOr<std::vector<Song>> RunPass(const Song& prepared, const model::Package& package,
                                          int64_t silence) {
  const std::vector<Cut> cuts =
      CutSong(prepared.frames(), silence, package.window_frames, package.overlap_frames);
  UNBRAID_ASSIGN_OR_RETURN(const ModelOutput kept, RunModel(prepared, package, cuts));
  std::vector<Song> stems;
  for (const std::vector<std::vector<float>>& stem : kept)
    stems.push_back(Join(cuts, stem, package.window_frames, prepared.rate_hz, prepared.channels));
  return stems;
}

// All stems of the model, at the song's own rate.
absl::StatusOr<std::vector<Song>> Separate(const Song& song, const model::Package& package,
                                           const Options& options) {
  UNBRAID_ASSIGN_OR_RETURN(
      const Song prepared,
      Resample(song, package.sample_rate_hz,
               audio::ResampledFrames(song.frames(), song.rate_hz, package.sample_rate_hz)));
  std::vector<std::vector<Song>> passes(package.stems.size());  // of each stem
  for (const int64_t silence :
       audio::PassSilences(options.shifts, options.shift_seed, package.sample_rate_hz)) {
    UNBRAID_ASSIGN_OR_RETURN(std::vector<Song> pass, RunPass(prepared, package, silence));
    for (size_t stem = 0; stem < pass.size(); ++stem) passes[stem].push_back(std::move(pass[stem]));
  }
  std::vector<Song> stems;
  for (const std::vector<Song>& of_stem : passes) {
    UNBRAID_ASSIGN_OR_RETURN(Song finished, Resample(Mean(of_stem), song.rate_hz, song.frames()));
    stems.push_back(std::move(finished));
  }
  return stems;
}

absl::Status Write(const std::string& path, const Song& stem, audio::OutputFormat format,
                   float gain, const audio::OutputTags& tags) {
  UNBRAID_ASSIGN_OR_RETURN(
      const auto encoder,
      audio::Encoder::Create(path, format, stem.rate_hz, stem.channels, stem.frames(), tags));
  UNBRAID_RETURN_IF_ERROR(encoder->Write(stem.samples.data(), stem.frames(), gain));
  return encoder->Finish();
}

absl::Status WriteAll(const Options& options, const std::vector<std::string>& names,
                      const std::vector<Song>& outputs, audio::OutputFormat format,
                      const audio::Tags& tags) {
  audio::PeakMeter meter;
  for (const Song& output : outputs)
    meter.Add(output.samples.data(), static_cast<int64_t>(output.samples.size()));
  const float gain = audio::CommonGain(meter, format);
  UNBRAID_RETURN_IF_ERROR(store::MakeFolders(options.out));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string path = absl::StrCat(options.out, "/", names[i], ".", format.Extension());
    UNBRAID_RETURN_IF_ERROR(
        Write(path, outputs[i], format, gain, {tags.title, tags.artist, tags.album, names[i]}));
  }
  return absl::OkStatus();
}

absl::Status Run(const Options& options) {
  UNBRAID_ASSIGN_OR_RETURN(const model::Package package, model::LoadPackage(options.model));
  SongFacts facts;
  UNBRAID_ASSIGN_OR_RETURN(const Song song, ReadSong(options.song, &facts));
  UNBRAID_ASSIGN_OR_RETURN(
      const audio::OutputFormat format,
      audio::ResolveOutput(FormatOf(options),
                           {facts.sample_format, song.rate_hz, song.channels, song.frames()}));
  UNBRAID_ASSIGN_OR_RETURN(std::vector<Song> outputs, Separate(song, package, options));
  Song mix = Sum(outputs);
  std::vector<std::string> names = package.stems;
  if (options.residual) {
    Song residual = Residual(song, outputs);
    outputs.push_back(std::move(residual));
    names.emplace_back("residual");
  }
  outputs.push_back(std::move(mix));
  names.emplace_back("mix");
  return WriteAll(options, names, outputs, format, facts.tags);
}

}  // namespace
}  // namespace unbraid::reference

int main(int argc, char** argv) {
  unbraid::reference::Options options;
  CLI::App app("Takes a song apart in one process, to compare with.", "unbraid-reference");
  app.add_option("--model", options.model, "Folder of a model package")->required();
  app.add_option("--format", options.format, "File format")
      ->check(CLI::IsMember({"wav", "flac"}))
      ->capture_default_str();
  app.add_option("--sample-format", options.sample_format, "Depth; source: as the song has it")
      ->check(CLI::IsMember({"source", "s16", "s24", "f32"}))
      ->capture_default_str();
  app.add_flag("--residual", options.residual, "Also write what is left without all stems");
  app.add_option("--shifts", options.shifts, "Passes over the song, whose mean is the result")
      ->check(CLI::Range(0, unbraid::audio::kMaxShifts));
  app.add_option("--shift-seed", options.shift_seed, "Chooses the silence before the song in each");
  app.add_option("SONG", options.song, "The song")->required();
  app.add_option("OUT", options.out, "Folder for the stems")->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = unbraid::reference::Run(options);
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << "error: " << status.message() << "\n";
  return EXIT_FAILURE;
}
