#include "services/common/grpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/time/clock.h"
#include "services/common/grpc/lifetime.h"

namespace unbraid::grpc_util {
namespace {

constexpr int kMaxReceiveBytes = 4 << 20;
constexpr int kMinBackoffMs = 100;
constexpr int kMaxBackoffMs = 5'000;
constexpr int kConnectMs = 2'000;
// The server takes pings every 10 s; see server.cc.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 20'000;

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  KeepLibraryUp();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinBackoffMs);
  // The shortest time that an attempt to connect gets, whatever the name says.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxBackoffMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // Without it pings end after the second one on a line where nothing else is sent, and a stream
  // that is silent for minutes would not notice that nobody is there any more.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Channels are shared inside gRPC unless told otherwise; a test that restarts a server would see
  // the old backoff.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void PrepareCall(grpc::ClientContext* context, absl::Duration deadline, const std::string& owner) {
  if (deadline < absl::InfiniteDuration()) {
    context->set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  }
  context->AddMetadata(kOwnerKey, owner);
}

std::string OwnerOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(kOwnerKey);
  if (found == metadata.end()) return kDefaultOwner;
  return std::string(found->second.data(), found->second.size());
}

}  // namespace unbraid::grpc_util
