#include "services/common/amqp/connection.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/amqp/incoming.h"
#include "services/common/amqp/rabbitmq_c.h"
#include "services/common/amqp/tcp_connect.h"
#include "services/common/base/status.h"
#include "services/common/base/steady.h"

namespace unbraid::amqp {
namespace {

constexpr int kMaxChannels = 1;
// Less than a third of the smallest send buffer that TCP has: then a socket that is ready for
// writing takes a whole frame, and sending never blocks inside the library.
constexpr int kMaxFrameBytes = 32'768;
constexpr size_t kFrameOverhead = 8;
constexpr uint8_t kPersistent = 2;
constexpr int kPollsPerHeartbeat = 3;
constexpr absl::Duration kFarewell = absl::Seconds(1);

int HeartbeatSeconds(const ConnectionOptions& options) {
  return std::max(1, static_cast<int>(absl::ToInt64Seconds(options.heartbeat)));
}

}  // namespace

struct Connection::State {
  ~State() {
    if (handle != nullptr) amqp_destroy_connection(handle);
  }

  absl::Status Connect();
  absl::Status Login();

  // The outcome of the last call that waits for an answer.
  absl::Status LastReply(absl::string_view doing) {
    if (hooks.alive) hooks.alive();
    return FromReply(amqp_get_rpc_reply(handle), doing);
  }

  ConnectionOptions options;
  Events events;
  Hooks hooks;
  Incoming incoming;
  amqp_connection_state_t handle = nullptr;
  bool blocked = false;
  absl::Time last_frame = absl::InfinitePast();
};

absl::Status Connection::State::Connect() {
  handle = amqp_new_connection();
  amqp_socket_t* socket = handle != nullptr ? amqp_tcp_socket_new(handle) : nullptr;
  if (socket == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  UNBRAID_ASSIGN_OR_RETURN(
      const int descriptor,
      ConnectTcp(options.host, options.port, options.connect_timeout, hooks.stop_descriptor));
  amqp_tcp_socket_set_sockfd(socket, descriptor);
  if (hooks.opened) hooks.opened(descriptor);
  const timeval handshake = absl::ToTimeval(options.connect_timeout);
  const timeval rpc = absl::ToTimeval(options.rpc_timeout);
  UNBRAID_RETURN_IF_ERROR(
      FromLibrary(amqp_set_handshake_timeout(handle, &handshake), "handshake timeout"));
  return FromLibrary(amqp_set_rpc_timeout(handle, &rpc), "rpc timeout");
}

absl::Status Connection::State::Login() {
  // The library's own announcement lacks both, and the broker would then keep silent about them.
  std::array<amqp_table_entry_t, 2> capabilities = {TableFlag("consumer_cancel_notify"),
                                                    TableFlag("connection.blocked")};
  amqp_table_entry_t announced{};
  announced.key = amqp_cstring_bytes("capabilities");
  announced.value.kind = AMQP_FIELD_KIND_TABLE;
  announced.value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  std::array<amqp_table_entry_t, 2> entries = {announced,
                                               TableText("connection_name", options.client_name)};
  const amqp_table_t properties = {static_cast<int>(entries.size()), entries.data()};
  return FromReply(
      amqp_login_with_properties(handle, options.vhost.c_str(), kMaxChannels, kMaxFrameBytes,
                                 HeartbeatSeconds(options), &properties, AMQP_SASL_METHOD_PLAIN,
                                 options.user.c_str(), options.password.c_str()),
      "cannot log in at the broker");
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options,
                                                             Events events, Hooks hooks) {
  auto state = std::make_unique<State>();
  State* raw = state.get();
  state->options = options;
  state->hooks = std::move(hooks);
  state->events = std::move(events);
  state->events.blocked = [raw, tell = std::move(state->events.blocked)](bool blocked,
                                                                         std::string reason) {
    raw->blocked = blocked;
    if (tell) tell(blocked, std::move(reason));
  };
  UNBRAID_RETURN_IF_ERROR(state->Connect());
  UNBRAID_RETURN_IF_ERROR(state->Login());
  amqp_channel_open(state->handle, kChannel);
  UNBRAID_RETURN_IF_ERROR(state->LastReply("cannot open a channel"));
  return std::unique_ptr<Connection>(new Connection(std::move(state)));
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}

Connection::~Connection() = default;

int Connection::descriptor() const { return amqp_get_sockfd(state_->handle); }

absl::Status Connection::Declare(const Topology& topology) {
  for (const Exchange& exchange : topology.exchanges) {
    amqp_exchange_declare(state_->handle, kChannel, Bytes(exchange.name), Bytes(exchange.type),
                          /*passive=*/0, /*durable=*/1, /*auto_delete=*/0, /*internal=*/0,
                          amqp_empty_table);
    UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot declare ", exchange.name)));
  }
  for (const Queue& queue : topology.queues) UNBRAID_RETURN_IF_ERROR(DeclareQueue(queue));
  for (const Binding& binding : topology.bindings) {
    amqp_queue_bind(state_->handle, kChannel, Bytes(binding.queue), Bytes(binding.exchange),
                    Bytes(binding.routing_key), amqp_empty_table);
    UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot bind ", binding.queue)));
  }
  return absl::OkStatus();
}

absl::Status Connection::DeclareQueue(const Queue& queue) {
  const std::string quorum = "quorum";
  std::array<amqp_table_entry_t, 4> entries = {TableText("x-queue-type", quorum)};
  int count = 1;
  auto add = [&](amqp_table_entry_t entry) { entries[static_cast<size_t>(count++)] = entry; };
  if (queue.delivery_limit > 0) add(TableNumber("x-delivery-limit", queue.delivery_limit));
  if (!queue.dead_letter_exchange.empty()) {
    add(TableText("x-dead-letter-exchange", queue.dead_letter_exchange));
    add(TableText("x-dead-letter-routing-key", queue.dead_letter_key));
  }
  amqp_queue_declare(state_->handle, kChannel, Bytes(queue.name), /*passive=*/0, /*durable=*/1,
                     /*exclusive=*/0, /*auto_delete=*/0, amqp_table_t{count, entries.data()});
  return state_->LastReply(absl::StrCat("cannot declare ", queue.name));
}

absl::Status Connection::SelectConfirms() {
  amqp_confirm_select(state_->handle, kChannel);
  return state_->LastReply("cannot select confirms");
}

absl::StatusOr<std::string> Connection::DeclareOwnQueue(const std::string& exchange) {
  const amqp_queue_declare_ok_t* made =
      amqp_queue_declare(state_->handle, kChannel, amqp_empty_bytes, /*passive=*/0, /*durable=*/0,
                         /*exclusive=*/1, /*auto_delete=*/1, amqp_empty_table);
  UNBRAID_RETURN_IF_ERROR(state_->LastReply("cannot declare a queue of my own"));
  std::string name = Text(made->queue);
  amqp_queue_bind(state_->handle, kChannel, Bytes(name), Bytes(exchange), amqp_empty_bytes,
                  amqp_empty_table);
  UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot bind to ", exchange)));
  return name;
}

absl::StatusOr<std::string> Connection::Consume(const std::string& queue, int prefetch,
                                                bool needs_ack) {
  amqp_basic_qos(state_->handle, kChannel, 0, static_cast<uint16_t>(prefetch), /*global=*/0);
  UNBRAID_RETURN_IF_ERROR(state_->LastReply("cannot set the prefetch"));
  const amqp_basic_consume_ok_t* consuming =
      amqp_basic_consume(state_->handle, kChannel, Bytes(queue), amqp_empty_bytes, /*no_local=*/0,
                         needs_ack ? 0 : 1, /*exclusive=*/0, amqp_empty_table);
  UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot consume ", queue)));
  return Text(consuming->consumer_tag);
}

absl::Status Connection::CancelConsumer(const std::string& tag) {
  amqp_basic_cancel(state_->handle, kChannel, Bytes(tag));
  return state_->LastReply("cannot cancel the consumer");
}

absl::Status Connection::Ack(uint64_t tag) {
  return FromLibrary(amqp_basic_ack(state_->handle, kChannel, tag, /*multiple=*/0), "cannot ack");
}

absl::Status Connection::Nack(uint64_t tag, bool requeue) {
  return FromLibrary(
      amqp_basic_nack(state_->handle, kChannel, tag, /*multiple=*/0, requeue ? 1 : 0),
      "cannot nack");
}

absl::Status Connection::Publish(const Message& message, uint64_t sequence) {
  // Not amqp_basic_publish: it sends a whole message without reading in between.
  const std::string correlation_id = absl::StrCat(sequence);
  amqp_basic_properties_t properties{};
  properties._flags =
      AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG;
  properties.delivery_mode = kPersistent;
  properties.message_id = Bytes(message.message_id);
  properties.correlation_id = Bytes(correlation_id);
  amqp_basic_publish_t publish{};
  publish.exchange = Bytes(message.exchange);
  publish.routing_key = Bytes(message.routing_key);
  publish.mandatory = message.mandatory ? 1 : 0;
  amqp_frame_t header{};
  header.frame_type = AMQP_FRAME_HEADER;
  header.channel = kChannel;
  header.payload.properties.class_id = AMQP_BASIC_CLASS;
  header.payload.properties.body_size = message.body.size();
  header.payload.properties.decoded = &properties;

  UNBRAID_RETURN_IF_ERROR(AwaitWritable());
  UNBRAID_RETURN_IF_ERROR(
      FromLibrary(amqp_send_method(state_->handle, kChannel, AMQP_BASIC_PUBLISH_METHOD, &publish),
                  "cannot publish"));
  UNBRAID_RETURN_IF_ERROR(FromLibrary(amqp_send_frame(state_->handle, &header), "cannot publish"));
  return SendBody(message.body);
}

absl::Status Connection::SendBody(const std::string& body) {
  const size_t part_bytes =
      static_cast<size_t>(amqp_get_frame_max(state_->handle)) - kFrameOverhead;
  for (size_t offset = 0; offset < body.size(); offset += part_bytes) {
    UNBRAID_RETURN_IF_ERROR(AwaitWritable());
    amqp_frame_t part{};
    part.frame_type = AMQP_FRAME_BODY;
    part.channel = kChannel;
    part.payload.body_fragment = {std::min(part_bytes, body.size() - offset),
                                  const_cast<char*>(body.data()) + offset};
    UNBRAID_RETURN_IF_ERROR(FromLibrary(amqp_send_frame(state_->handle, &part), "cannot publish"));
  }
  return absl::OkStatus();
}

absl::Status Connection::AwaitWritable() {
  const auto longest =
      static_cast<int>(absl::ToInt64Milliseconds(absl::Seconds(HeartbeatSeconds(state_->options))) /
                       kPollsPerHeartbeat);
  absl::Time idle_since = base::SteadyNow();
  while (true) {
    const int wanted = state_->blocked ? POLLIN : POLLIN | POLLOUT;
    std::array<pollfd, 2> watched = {pollfd{descriptor(), static_cast<int16_t>(wanted), 0},
                                     pollfd{state_->hooks.stop_descriptor, POLLIN, 0}};
    poll(watched.data(), watched.size(), longest);
    if (watched[1].revents != 0) return absl::CancelledError("broken off while publishing");
    if (watched[0].revents != POLLOUT) UNBRAID_RETURN_IF_ERROR(Drain().status());
    if (!state_->blocked && (watched[0].revents & POLLOUT) != 0) return absl::OkStatus();
    if (state_->blocked) idle_since = base::SteadyNow();
    if (base::SteadyNow() - idle_since > state_->options.publish_timeout) {
      return absl::UnavailableError("the broker has stopped reading without an alarm");
    }
    if (state_->hooks.alive) state_->hooks.alive();
  }
}

absl::StatusOr<Connection::QueueCounts> Connection::QueueSize(const std::string& queue) {
  const amqp_queue_declare_ok_t* counts =
      amqp_queue_declare(state_->handle, kChannel, Bytes(queue), /*passive=*/1, /*durable=*/0,
                         /*exclusive=*/0, /*auto_delete=*/0, amqp_empty_table);
  const absl::Status answer = state_->LastReply(absl::StrCat("cannot look at ", queue));
  if (absl::IsNotFound(answer)) UNBRAID_RETURN_IF_ERROR(ReopenChannel());
  UNBRAID_RETURN_IF_ERROR(answer);
  const QueueCounts result = {counts->message_count, counts->consumer_count};
  amqp_maybe_release_buffers(state_->handle);
  return result;
}

absl::Status Connection::ReopenChannel() {
  amqp_channel_close_ok_t seen{};
  UNBRAID_RETURN_IF_ERROR(
      FromLibrary(amqp_send_method(state_->handle, kChannel, AMQP_CHANNEL_CLOSE_OK_METHOD, &seen),
                  "cannot close the channel"));
  amqp_channel_open(state_->handle, kChannel);
  return state_->LastReply("cannot open the channel again");
}

absl::Time Connection::last_frame() const { return state_->last_frame; }

absl::StatusOr<bool> Connection::Drain() {
  bool any = false;
  while (true) {
    amqp_frame_t frame;
    timeval at_once{};
    const int code = amqp_simple_wait_frame_noblock(state_->handle, &frame, &at_once);
    if (code == AMQP_STATUS_TIMEOUT) return any;
    UNBRAID_RETURN_IF_ERROR(FromLibrary(code, "the connection to the broker is gone"));
    UNBRAID_RETURN_IF_ERROR(state_->incoming.OnFrame(frame, state_->events));
    amqp_maybe_release_buffers(state_->handle);
    state_->last_frame = base::SteadyNow();
    any = true;
  }
}

void Connection::Close() {
  if (state_->blocked) return;  // the broker would not read it
  const timeval limit = absl::ToTimeval(kFarewell);
  amqp_set_rpc_timeout(state_->handle, &limit);
  amqp_connection_close(state_->handle, AMQP_REPLY_SUCCESS);
}

}  // namespace unbraid::amqp
