#include "services/splitter/splitter_server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/amqp/connect.h"
#include "services/common/base/status.h"
#include "services/common/config/flags.h"
#include "services/common/decode/sandboxed_decoder.h"
#include "services/common/model/catalogue.h"
#include "services/common/telemetry/log.h"

namespace unbraid::splitter {
namespace {

// Whoever decodes at less than this many times real time is stuck.
constexpr int kSlowestDecoding = 20;
// How much longer it may take by the clock, on a machine where many decode.
constexpr int kClockPerCpu = 4;

// Also finds out that the decoder can be run at all, before anybody uploads anything.
absl::StatusOr<Decoding> MakeDecoding(const Config& config) {
  decode::SandboxOptions sandbox;
  sandbox.program = config.decoder.empty() ? decode::DefaultDecoderProgram() : config.decoder;
  sandbox.limits.memory_bytes = config.decoder_memory_bytes;
  sandbox.limits.cpu_time = absl::Minutes(1) + config.max_duration / kSlowestDecoding;
  sandbox.total_patience = sandbox.limits.cpu_time * kClockPerCpu;
  Decoding decoding;
  UNBRAID_ASSIGN_OR_RETURN(decoding.containers, decode::AskForContainers(sandbox.program));
  decoding.open = [sandbox](const std::string& path, const audio::DecodeOptions& options) {
    return decode::SandboxedDecoder::Open(path, options, sandbox);
  };
  return decoding;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SplitterServer>> SplitterServer::Create(const Config& config) {
  UNBRAID_RETURN_IF_ERROR(config.Validate());
  std::unique_ptr<SplitterServer> server(new SplitterServer(config));
  UNBRAID_RETURN_IF_ERROR(server->Start());
  return server;
}

SplitterServer::~SplitterServer() { Drain(); }

absl::Status SplitterServer::Start() {
  UNBRAID_ASSIGN_OR_RETURN(const amqp::ConnectionOptions broker,
                           amqp::ToConnectionOptions(config_.broker, config_.name));
  UNBRAID_ASSIGN_OR_RETURN(const model::Catalogue catalogue,
                           model::Catalogue::Load(config_.models, config_.default_model));
  UNBRAID_ASSIGN_OR_RETURN(const Decoding decoding, MakeDecoding(config_));
  const amqp::Topology topology = SplitterTopology(catalogue);
  broker_ = std::make_unique<AmqpBroker>(broker, topology);
  UNBRAID_ASSIGN_OR_RETURN(splitter_, Splitter::Create(config_, catalogue, decoding, broker_.get(),
                                                       broker_.get(), &metrics_));
  dead_letters_ = std::make_unique<DeadLetters>(broker, topology, splitter_->job_store(),
                                                splitter_->failures(), splitter_->calls());
  telemetry::Probes probes{[] { return absl::OkStatus(); }, [this] { return Ready(); }};
  UNBRAID_ASSIGN_OR_RETURN(
      http_, telemetry::HttpServer::Start(config_.common.http, std::move(probes), &metrics_));
  telemetry::Info("serving", {{"address", splitter_->address().ToString()},
                              {"models", catalogue.packages().size()}});
  return config::WriteAddressFile(config_.common.address_file, splitter_->address().ToString(),
                                  http_ ? http_->address().ToString() : "");
}

// The assembler is not asked for: while it is away the splitter still takes uploads.
absl::Status SplitterServer::Ready() const {
  const BrokerState broker = broker_->state();
  if (!broker.connected) {
    return absl::UnavailableError(absl::StrCat("not connected to the broker: ", broker.message));
  }
  if (broker.blocked) {
    return absl::UnavailableError(absl::StrCat("the broker takes no messages: ", broker.message));
  }
  return splitter_->disk_state();
}

void SplitterServer::Drain() {
  if (splitter_ != nullptr) splitter_->Stop(config_.grace);
  if (dead_letters_ != nullptr) dead_letters_->Stop();
  if (broker_ != nullptr) broker_->Stop(config_.grace);
  if (splitter_ != nullptr) splitter_->LeaveNote();
  http_.reset();
}

}  // namespace unbraid::splitter
