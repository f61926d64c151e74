#include "services/common/telemetry/http_server.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

namespace unbraid::telemetry {
namespace {

constexpr int kOk = 200;
constexpr int kServiceUnavailable = 503;
constexpr int kThreads = 4;
// For a request to come in. A connection holds a thread meanwhile, so those that say nothing must
// not keep a probe waiting.
constexpr time_t kPatienceSeconds = 1;
constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kPrometheus[] = "text/plain; version=0.0.4; charset=utf-8";

httplib::Server::Handler ProbeHandler(std::function<absl::Status()> probe) {
  return [probe = std::move(probe)](const httplib::Request&, httplib::Response& response) {
    const absl::Status status = probe();
    response.status = status.ok() ? kOk : kServiceUnavailable;
    response.set_content(status.ok() ? "ok\n" : absl::StrCat(status.message(), "\n"), kPlain);
  };
}

// A process that is started again gets its port at once, although connections of the one before
// still time out there. The library's own choice (SO_REUSEPORT) would share the port with another
// process.
void AllowRestart(socket_t descriptor) {
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

}  // namespace

struct HttpServer::Implementation {
  httplib::Server server;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              Probes probes,
                                                              const Metrics* metrics) {
  if (address.empty()) return std::unique_ptr<HttpServer>();
  UNBRAID_ASSIGN_OR_RETURN(base::HostPort bound, base::ParseHostPort(address));
  auto implementation = std::make_unique<Implementation>();
  httplib::Server& server = implementation->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.Get("/healthz", ProbeHandler(std::move(probes.live)));
  server.Get("/readyz", ProbeHandler(std::move(probes.ready)));
  server.Get("/metrics", [metrics](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics->Render(), kPrometheus);
  });
  server.set_socket_options(&AllowRestart);
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(kPatienceSeconds);
  server.set_read_timeout(kPatienceSeconds);
  if (bound.port == 0) {
    bound.port = server.bind_to_any_port(bound.host);
  } else if (!server.bind_to_port(bound.host, bound.port)) {
    bound.port = -1;
  }
  if (bound.port < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, "; choose another --http"));
  }
  implementation->thread = std::thread([&server] { server.listen_after_bind(); });
  // stop() is lost on a server that does not run yet, and this version of the library has no other
  // way to wait.
  while (!server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(implementation), std::move(bound)));
}

HttpServer::HttpServer(std::unique_ptr<Implementation> implementation, base::HostPort address)
    : implementation_(std::move(implementation)), address_(std::move(address)) {}

HttpServer::~HttpServer() {
  implementation_->server.stop();
  implementation_->thread.join();
}

}  // namespace unbraid::telemetry
