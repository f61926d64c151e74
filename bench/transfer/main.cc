// unbraid-bench-transfer: times an upload and a download as a client sees them, and serves the same
// calls with nothing behind them, to compare with.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/transfer/bare_server.h"
#include "bench/transfer/client.h"
#include "services/common/base/host_port.h"
#include "services/common/base/status.h"
#include "services/common/grpc/server.h"

namespace unbraid::bench {
namespace {

// Prints its address, and serves until standard input ends.
absl::StatusOr<nlohmann::json> Serve(int64_t bytes) {
  BareTracks tracks;
  BareSeparations separations(bytes);
  grpc_util::ServerOptions options;
  options.listen = {"127.0.0.1", 0};
  options.services = {&tracks, &separations};
  UNBRAID_ASSIGN_OR_RETURN(const auto server, grpc_util::Server::Start(options));
  std::cout
      << nlohmann::json{{"address", absl::StrCat("127.0.0.1:", server->address().port)}}.dump()
      << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) continue;
  return nlohmann::json::object();
}

}  // namespace
}  // namespace unbraid::bench

int main(int argc, char** argv) {
  int64_t bytes = 0;
  std::string server;
  std::string what;
  CLI::App app("Times uploads and downloads.", "unbraid-bench-transfer");
  CLI::App* serve = app.add_subcommand("serve", "A server that keeps and has nothing");
  serve->add_option("BYTES", bytes, "Size of whatever is downloaded")->required();
  CLI::App* upload = app.add_subcommand("upload", "Uploads a file");
  CLI::App* download = app.add_subcommand("download", "Downloads a stem");
  for (CLI::App* client : {upload, download}) {
    client->add_option("SERVER", server, "HOST:PORT")->required();
    client->add_option("WHAT", what, "The file, or the stem's name")->required();
  }
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  const auto result = serve->parsed()    ? unbraid::bench::Serve(bytes)
                      : upload->parsed() ? unbraid::bench::Upload(server, what)
                                         : unbraid::bench::Download(server, what);
  if (!result.ok()) {
    std::cerr << "error: " << result.status().message() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << result->dump() << "\n";
  return EXIT_SUCCESS;
}
