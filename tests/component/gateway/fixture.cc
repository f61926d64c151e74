#include "tests/component/gateway/fixture.h"

#include <grpcpp/create_channel.h>
#include <httplib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "services/common/base/status.h"

namespace unbraid::gateway {
namespace {

void WriteModel(const std::string& folder, const std::string& name) {
  const std::string path = absl::StrCat(folder, "/", name);
  std::filesystem::create_directory(path);
  std::ofstream(path + "/model.json") << absl::StrCat(
      R"({"format": 1, "name": ")", name, R"(", "version": "1", "title": "A model",
          "graph": {"file": "model.pt", "sha256": ")",
      std::string(64, 'a'), R"("}, "sample_rate": 44100, "channels": 2, "window": 1000,
          "overlap": 100, "stems": ["vocals", "other"], "normalisation": "none",
          "licence": {"weights": "MIT"}, "source": "made for a test"})");
}

}  // namespace

Fixture::Fixture() : splitter_server_(Serve(&splitter)), assembler_server_(Serve(&assembler)) {
  assembler_port_ = assembler_server_->address().port;
  for (const char* name : {"alpha", "beta"}) WriteModel(models_.path(), name);
}

Fixture::~Fixture() {
  if (gateway != nullptr) gateway->Drain();
}

void Fixture::Start(Config config) {
  config.listen = "127.0.0.1:0";
  config.common.http = "127.0.0.1:0";
  config.splitter = splitter_server_->address().ToString();
  config.assembler = assembler_server_->address().ToString();
  config.models = models_.path();
  config.default_model = "beta";
  config.grace = absl::Milliseconds(200);
  auto server = GatewayServer::Create(config);
  if (!server.ok()) throw std::runtime_error(server.status().ToString());
  gateway = *std::move(server);
}

void Fixture::BringBackAssembler() { assembler_server_ = Serve(&assembler, assembler_port_); }

std::shared_ptr<grpc::Channel> Fixture::Channel() const {
  return grpc::CreateChannel(gateway->address().ToString(), grpc::InsecureChannelCredentials());
}

std::unique_ptr<v1::TrackService::Stub> Fixture::Tracks() const {
  return v1::TrackService::NewStub(Channel());
}

std::unique_ptr<v1::SeparationService::Stub> Fixture::Separations() const {
  return v1::SeparationService::NewStub(Channel());
}

std::unique_ptr<v1::SystemService::Stub> Fixture::System() const {
  return v1::SystemService::NewStub(Channel());
}

std::pair<int, std::string> Fixture::Get(const std::string& path) const {
  httplib::Client client(gateway->http_address().host, gateway->http_address().port);
  const auto result = client.Get(path.c_str());
  if (!result) throw std::runtime_error("no answer from the HTTP server");
  return {result->status, result->body};
}

Patient::Patient() { set_deadline(absl::ToChronoTime(absl::Now() + 2 * kPatience)); }

SeenError See(const grpc::Status& status) {
  SeenError seen{status.error_code(), status.error_message(), "", "", {}};
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() != 1 ||
      !details.details(0).UnpackTo(&info)) {
    return seen;
  }
  seen.reason = info.reason();
  seen.domain = info.domain();
  seen.facts = {info.metadata().begin(), info.metadata().end()};
  return seen;
}

grpc::Status BackendError(absl::StatusCode code, const std::string& reason,
                          const std::string& sentence,
                          const std::map<std::string, std::string>& facts) {
  return grpc_util::ToGrpc(base::Error(code, reason, sentence, facts));
}

}  // namespace unbraid::gateway
