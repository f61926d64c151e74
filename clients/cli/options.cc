#include "clients/cli/options.h"

#include <CLI/CLI.hpp>

#include "clients/cli/exit_code.h"
#include "clients/cli/mix_option.h"
#include "clients/cli/output_options.h"

namespace unbraid::cli {
namespace {

// Turns an error of form in --mix into one of usage.
std::string CheckMix(const std::string& text) {
  return std::string(ParseMix(text).status().message());
}

void AddSeparationOptions(CLI::App* command, Options* options) {
  command->add_option("--model", options->model,
                      "Model to use; the default of `unbraid models` if absent");
  command
      ->add_option("--stems", options->stems,
                   "Stems wanted, for example vocals,drums; all if absent")
      ->delimiter(',');
  command
      ->add_option("--mix", options->mix,
                   "Gains of the mix, for example vocals=0,drums=1.5; 1 for what is not named")
      ->check(CheckMix);
  command->add_flag("--residual", options->residual,
                    "Also write what is left of the song without all stems");
  CLI::Option* shifts = command->add_option(
      "--shifts", options->shifts,
      "Passes, 1 to 16, with the song moved by up to half a second, whose mean is the result: "
      "better, and as many times slower; 0: one pass, unmoved");
  command
      ->add_option("--shift-seed", options->shift_seed,
                   "Number that chooses the moves; the same one gives the same bytes")
      ->needs(shifts);
  AddOutputOptions(command, &options->output);
}

// A sub-command without its own options.
CLI::App* AddCommand(CLI::App* app, Options* options, CommandKind kind, const std::string& name,
                     const std::string& help) {
  CLI::App* command = app->add_subcommand(name, help);
  command->callback([options, kind] { options->command = kind; });
  return command;
}

CLI::App* AddNamedCommand(CLI::App* app, Options* options, CommandKind kind,
                          const std::string& name, const std::string& help,
                          const std::string& what) {
  CLI::App* command = AddCommand(app, options, kind, name, help);
  command->add_option("NAME", options->name, what)->required();
  return command;
}

void AddSong(CLI::App* command, Options* options) {
  command->add_option("FILE", options->file, "The song")->required();
  command->add_flag("--silence-non-finite", options->silence_non_finite,
                    "Take samples that are no numbers (NaN, infinite) for silence");
}

// `flag` STEM --stdout [--raw].
void AddPlayOptions(CLI::App* command, CLI::Option* play) {
  CLI::Option* to_stdout = command->add_flag(
      "--stdout", "Write the stem to standard output as it is computed, as a WAV stream");
  play->needs(to_stdout);
  to_stdout->needs(play);
}

void AddRawOption(CLI::App* command, Options* options) {
  command
      ->add_flag("--raw", options->raw,
                 "Samples without a WAV header: interleaved little-endian 32-bit floats")
      ->needs("--stdout");
}

void AddDownloadCommand(CLI::App* app, Options* options) {
  CLI::App* download = AddNamedCommand(
      app, options, CommandKind::kDownload, "download",
      "Fetch the stems of a finished separation, or follow one that runs", "separations/ID");
  CLI::Option_group* where = download->add_option_group("One of");
  where->require_option(1);
  where->add_option("-o,--output", options->output_folder, "Folder for the stems");
  CLI::Option* follow = where->add_option("--follow", options->play_stem,
                                          "Stem, or mix, as far as it is computed "
                                          "and on to its end; needs --stdout");
  AddPlayOptions(download, follow);
  AddRawOption(download, options);
  download->add_option("--stems", options->stems, "Only these, for example vocals,mix")
      ->delimiter(',')
      ->excludes(follow);
}

void AddSongCommands(CLI::App* app, Options* options) {
  CLI::App* separate = AddCommand(app, options, CommandKind::kSeparate, "separate",
                                  "Upload a song, take it apart, and fetch the stems");
  AddSong(separate, options);
  separate->add_option("-o,--output", options->output_folder,
                       "Folder for the stems; a folder named after the song if absent");
  AddSeparationOptions(separate, options);
  AddPlayOptions(separate, separate->add_option("--play-stem", options->play_stem,
                                                "Stem, or mix, to hear while the rest is computed; "
                                                "needs --stdout"));
  AddRawOption(separate, options);
  separate->add_flag("--no-files", options->no_files, "Only that stem, no files")
      ->needs("--stdout");

  CLI::App* upload = AddCommand(app, options, CommandKind::kUpload, "upload", "Upload a song");
  AddSong(upload, options);

  CLI::App* create = AddNamedCommand(app, options, CommandKind::kCreate, "create",
                                     "Start to take an uploaded track apart", "tracks/ID");
  AddSeparationOptions(create, options);

  AddDownloadCommand(app, options);
}

void AddResourceCommands(CLI::App* app, Options* options) {
  constexpr char kEither[] = "tracks/ID or separations/ID";
  AddNamedCommand(app, options, CommandKind::kWatch, "watch", "Follow a separation until it ends",
                  "separations/ID");
  AddNamedCommand(app, options, CommandKind::kGet, "get", "Show a track or a separation", kEither);
  AddNamedCommand(app, options, CommandKind::kCancel, "cancel", "Cancel a separation",
                  "separations/ID");
  AddNamedCommand(app, options, CommandKind::kDelete, "delete",
                  "Delete a track, or a separation and its stems", kEither);
  CLI::App* list = AddCommand(app, options, CommandKind::kList, "list",
                              "List tracks or separations, newest first");
  options->name = "separations";
  list->add_option("WHAT", options->name, "tracks or separations")
      ->check(CLI::IsMember({"tracks", "separations"}))
      ->capture_default_str();
  AddCommand(app, options, CommandKind::kModels, "models", "List the models");
  AddCommand(app, options, CommandKind::kInfo, "info",
             "Show limits, queues and the state of the service");
}

}  // namespace

std::optional<int> ParseOptions(int argc, char** argv, Options* options) {
  CLI::App app("Takes a song apart into stems, through an Unbraid gateway.", "unbraid");
  app.set_version_flag("--version", std::string(UNBRAID_VERSION));
  app.add_option("--gateway", options->gateway, "HOST:PORT of the gateway")
      ->envname("UNBRAID_GATEWAY")
      ->capture_default_str();
  app.add_flag("--json", options->json, "Write one JSON object a line, for programs");
  double patience_seconds = absl::ToDoubleSeconds(options->patience);
  app.add_option("--patience", patience_seconds,
                 "Seconds to go on trying when the gateway does not answer")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();  // --json and --gateway may also stand behind the command
  AddSongCommands(&app, options);
  AddResourceCommands(&app, options);
  app.footer(
      "Exit status: 0 done, 2 usage, 3 bad input, 4 unavailable, 5 failed, 130 cancelled.\n"
      "Ctrl-C during `separate` cancels the separation.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(ExitCode::kDone)
                                : static_cast<int>(ExitCode::kUsage);
  }
  options->patience = absl::Seconds(patience_seconds);
  return std::nullopt;
}

}  // namespace unbraid::cli
