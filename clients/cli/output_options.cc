#include "clients/cli/output_options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <set>

namespace unbraid::cli {
namespace {

using O = v1::OutputFormat;

template <typename Value>
using Words = std::map<std::string, Value>;

const Words<O::Container>& Containers() {
  static const auto* const words =
      new Words<O::Container>{{"wav", O::CONTAINER_WAV},       {"flac", O::CONTAINER_FLAC},
                              {"aiff", O::CONTAINER_AIFF},     {"ogg", O::CONTAINER_OGG_VORBIS},
                              {"opus", O::CONTAINER_OGG_OPUS}, {"mp3", O::CONTAINER_MP3}};
  return *words;
}

const Words<v1::SampleFormat>& SampleFormats() {
  static const auto* const words = new Words<v1::SampleFormat>{{"source", v1::SAMPLE_FORMAT_SOURCE},
                                                               {"s16", v1::SAMPLE_FORMAT_S16},
                                                               {"s24", v1::SAMPLE_FORMAT_S24},
                                                               {"s32", v1::SAMPLE_FORMAT_S32},
                                                               {"f32", v1::SAMPLE_FORMAT_F32}};
  return *words;
}

const Words<O::ClipPolicy>& ClipPolicies() {
  static const auto* const words = new Words<O::ClipPolicy>{{"gain", O::CLIP_POLICY_GAIN},
                                                            {"clamp", O::CLIP_POLICY_CLAMP},
                                                            {"none", O::CLIP_POLICY_NONE}};
  return *words;
}

const Words<O::Dither>& Dithers() {
  static const auto* const words = new Words<O::Dither>{
      {"auto", O::DITHER_AUTO}, {"none", O::DITHER_NONE}, {"tpdf", O::DITHER_TPDF}};
  return *words;
}

template <typename Value>
void AddWords(CLI::App* command, const std::string& name, const Words<Value>& words,
              std::string* value, const std::string& help) {
  std::set<std::string> names;
  for (const auto& [word, number] : words) names.insert(word);
  command->add_option(name, *value, help)->check(CLI::IsMember(names))->capture_default_str();
}

}  // namespace

void AddOutputOptions(CLI::App* command, OutputOptions* options) {
  AddWords(command, "--format", Containers(), &options->format, "File format; ogg is Vorbis");
  AddWords(command, "--sample-format", SampleFormats(), &options->sample_format,
           "Depth; source: as the song has it");
  AddWords(command, "--clip", ClipPolicies(), &options->clip,
           "What is done about samples beyond full scale: turn all outputs down together, limit "
           "them, or nothing");
  AddWords(command, "--dither", Dithers(), &options->dither,
           "Dither of integers; auto: where they are coarser than the song");
  command
      ->add_option("--quality", options->quality,
                   "Quality of ogg and mp3, 0 (smallest) to 1 (best)")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--bitrate", options->bitrate_kbps, "kbit/s of mp3 and opus")
      ->check(CLI::Range(6, 510));
}

v1::OutputFormat OutputFormatOf(const OutputOptions& options) {
  v1::OutputFormat format;
  format.set_container(Containers().at(options.format));
  format.set_sample_format(SampleFormats().at(options.sample_format));
  format.set_clip(ClipPolicies().at(options.clip));
  format.set_dither(Dithers().at(options.dither));
  if (options.quality.has_value()) format.set_quality(*options.quality);
  format.set_bitrate_kbps(options.bitrate_kbps);
  return format;
}

}  // namespace unbraid::cli
