#include "services/common/amqp/connection.h"

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/base/status.h"

// Longer than most files here because everything that knows the C library's types stands together.

namespace unbraid::amqp {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kMaxChannels = 1;
constexpr int kMaxFrameBytes = 131'072;
constexpr int kNotFound = 404;
constexpr uint8_t kPersistent = 2;

amqp_bytes_t Bytes(const std::string& text) {
  // The library never writes through it.
  return amqp_bytes_t{text.size(), const_cast<char*>(text.data())};
}

std::string Text(amqp_bytes_t bytes) {
  return std::string(static_cast<const char*>(bytes.bytes), bytes.len);
}

absl::Status Gone(absl::string_view doing, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", why));
}

absl::Status FromLibrary(int code, absl::string_view doing) {
  return code == AMQP_STATUS_OK ? absl::OkStatus() : Gone(doing, amqp_error_string2(code));
}

// What the broker said when it closed the channel or the connection.
absl::Status FromClose(const amqp_method_t& method, absl::string_view doing) {
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto* close = static_cast<const amqp_connection_close_t*>(method.decoded);
    return Gone(doing, absl::StrCat("the broker closed the connection: ", Text(close->reply_text)));
  }
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* close = static_cast<const amqp_channel_close_t*>(method.decoded);
    const std::string text = absl::StrCat(doing, ": ", Text(close->reply_text));
    return close->reply_code == kNotFound ? absl::NotFoundError(text)
                                          : absl::UnavailableError(text);
  }
  return Gone(doing, "unexpected answer of the broker");
}

absl::Status FromReply(const amqp_rpc_reply_t& reply, absl::string_view doing) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
      return absl::OkStatus();
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
      return Gone(doing, amqp_error_string2(reply.library_error));
    case AMQP_RESPONSE_SERVER_EXCEPTION:
      return FromClose(reply.reply, doing);
    default:
      return Gone(doing, "no answer");
  }
}

amqp_table_entry_t TableText(const char* key, const std::string& value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(key);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = Bytes(value);
  return entry;
}

amqp_table_entry_t TableNumber(const char* key, int value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(key);
  entry.value.kind = AMQP_FIELD_KIND_I32;
  entry.value.value.i32 = value;
  return entry;
}

amqp_table_entry_t TableFlag(const char* key) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(key);
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

}  // namespace

struct Connection::State {
  ~State() {
    if (handle == nullptr) return;
    // No polite farewell: it could block on a dead network, and the broker copes.
    amqp_destroy_connection(handle);
  }

  absl::Status LastReply(absl::string_view doing) {
    return FromReply(amqp_get_rpc_reply(handle), doing);
  }
  absl::Status Login(const ConnectionOptions& options);

  // A message in arrival: a method frame, then a header frame, then body frames.
  struct Arrival {
    bool is_return = false;
    Delivery delivery;
    uint64_t body_bytes = 0;
  };
  void BeginArrival(const amqp_method_t& method);
  absl::Status OnMethod(const amqp_method_t& method, const Events& events);
  void OnHeader(const amqp_frame_t& frame);
  void FinishArrival(const Events& events);

  amqp_connection_state_t handle = nullptr;
  std::optional<Arrival> arrival;
};

absl::Status Connection::State::Login(const ConnectionOptions& options) {
  std::array<amqp_table_entry_t, 2> capabilities = {TableFlag("consumer_cancel_notify"),
                                                    TableFlag("connection.blocked")};
  amqp_table_entry_t announced{};
  announced.key = amqp_cstring_bytes("capabilities");
  announced.value.kind = AMQP_FIELD_KIND_TABLE;
  announced.value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  std::array<amqp_table_entry_t, 2> entries = {announced,
                                               TableText("connection_name", options.client_name)};
  const amqp_table_t properties = {static_cast<int>(entries.size()), entries.data()};
  const auto heartbeat = static_cast<int>(absl::ToInt64Seconds(options.heartbeat));
  return FromReply(
      amqp_login_with_properties(handle, options.vhost.c_str(), kMaxChannels, kMaxFrameBytes,
                                 heartbeat, &properties, AMQP_SASL_METHOD_PLAIN,
                                 options.user.c_str(), options.password.c_str()),
      "cannot log in at the broker");
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  auto state = std::make_unique<State>();
  state->handle = amqp_new_connection();
  amqp_socket_t* socket = state->handle != nullptr ? amqp_tcp_socket_new(state->handle) : nullptr;
  if (socket == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  timeval timeout = absl::ToTimeval(options.connect_timeout);
  UNBRAID_RETURN_IF_ERROR(FromLibrary(
      amqp_socket_open_noblock(socket, options.host.c_str(), options.port, &timeout),
      absl::StrCat("cannot connect to the broker at ", options.host, ":", options.port)));
  timeval handshake = absl::ToTimeval(options.connect_timeout);
  timeval rpc = absl::ToTimeval(options.rpc_timeout);
  UNBRAID_RETURN_IF_ERROR(
      FromLibrary(amqp_set_handshake_timeout(state->handle, &handshake), "handshake timeout"));
  UNBRAID_RETURN_IF_ERROR(FromLibrary(amqp_set_rpc_timeout(state->handle, &rpc), "rpc timeout"));
  UNBRAID_RETURN_IF_ERROR(state->Login(options));
  amqp_channel_open(state->handle, kChannel);
  UNBRAID_RETURN_IF_ERROR(state->LastReply("cannot open a channel"));
  return std::unique_ptr<Connection>(new Connection(std::move(state)));
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}

Connection::~Connection() = default;

int Connection::descriptor() const { return amqp_get_sockfd(state_->handle); }

absl::Status Connection::Declare(const Topology& topology) {
  amqp_connection_state_t handle = state_->handle;
  for (const Exchange& exchange : topology.exchanges) {
    amqp_exchange_declare(handle, kChannel, Bytes(exchange.name), Bytes(exchange.type),
                          /*passive=*/0,
                          /*durable=*/1, /*auto_delete=*/0, /*internal=*/0, amqp_empty_table);
    UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot declare ", exchange.name)));
  }
  for (const Queue& queue : topology.queues) {
    const std::string quorum = "quorum";
    std::array<amqp_table_entry_t, 4> entries = {TableText("x-queue-type", quorum)};
    int count = 1;
    auto add = [&](amqp_table_entry_t entry) { entries[static_cast<size_t>(count++)] = entry; };
    if (queue.delivery_limit > 0) add(TableNumber("x-delivery-limit", queue.delivery_limit));
    if (!queue.dead_letter_exchange.empty()) {
      add(TableText("x-dead-letter-exchange", queue.dead_letter_exchange));
      add(TableText("x-dead-letter-routing-key", queue.dead_letter_key));
    }
    amqp_queue_declare(handle, kChannel, Bytes(queue.name), /*passive=*/0, /*durable=*/1,
                       /*exclusive=*/0, /*auto_delete=*/0, amqp_table_t{count, entries.data()});
    UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot declare ", queue.name)));
  }
  for (const Binding& binding : topology.bindings) {
    amqp_queue_bind(handle, kChannel, Bytes(binding.queue), Bytes(binding.exchange),
                    Bytes(binding.routing_key), amqp_empty_table);
    UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot bind ", binding.queue)));
  }
  return absl::OkStatus();
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
  const std::string name = Text(made->queue);
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

absl::Status Connection::Publish(const Message& message) {
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
  properties.delivery_mode = kPersistent;
  properties.message_id = Bytes(message.message_id);
  return FromLibrary(amqp_basic_publish(state_->handle, kChannel, Bytes(message.exchange),
                                        Bytes(message.routing_key), message.mandatory ? 1 : 0,
                                        /*immediate=*/0, &properties, Bytes(message.body)),
                     "cannot publish");
}

absl::StatusOr<Connection::QueueCounts> Connection::QueueSize(const std::string& queue) {
  const amqp_queue_declare_ok_t* counts =
      amqp_queue_declare(state_->handle, kChannel, Bytes(queue), /*passive=*/1, /*durable=*/0,
                         /*exclusive=*/0, /*auto_delete=*/0, amqp_empty_table);
  UNBRAID_RETURN_IF_ERROR(state_->LastReply(absl::StrCat("cannot look at ", queue)));
  const QueueCounts result = {counts->message_count, counts->consumer_count};
  amqp_maybe_release_buffers(state_->handle);
  return result;
}

absl::Status Connection::Drain(const Events& events) {
  while (true) {
    UNBRAID_ASSIGN_OR_RETURN(const bool more, DrainOne(events));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<bool> Connection::DrainOne(const Events& events) {
  amqp_frame_t frame;
  timeval at_once{};
  const int code = amqp_simple_wait_frame_noblock(state_->handle, &frame, &at_once);
  if (code == AMQP_STATUS_TIMEOUT) return false;
  UNBRAID_RETURN_IF_ERROR(FromLibrary(code, "the connection to the broker is gone"));
  if (frame.frame_type == AMQP_FRAME_METHOD) {
    UNBRAID_RETURN_IF_ERROR(state_->OnMethod(frame.payload.method, events));
  } else if (state_->arrival.has_value() && frame.frame_type == AMQP_FRAME_HEADER) {
    state_->OnHeader(frame);
  } else if (state_->arrival.has_value() && frame.frame_type == AMQP_FRAME_BODY) {
    state_->arrival->delivery.body.append(Text(frame.payload.body_fragment));
  }
  const bool in_body = state_->arrival.has_value() && frame.frame_type != AMQP_FRAME_METHOD;
  if (in_body && state_->arrival->delivery.body.size() >= state_->arrival->body_bytes) {
    state_->FinishArrival(events);
  }
  // Everything that is kept has been copied.
  amqp_maybe_release_buffers(state_->handle);
  return true;
}

void Connection::State::BeginArrival(const amqp_method_t& method) {
  Arrival begun;
  if (method.id == AMQP_BASIC_DELIVER_METHOD) {
    const auto* deliver = static_cast<const amqp_basic_deliver_t*>(method.decoded);
    begun.delivery.tag.value = deliver->delivery_tag;
    begun.delivery.redelivered = deliver->redelivered != 0;
    begun.delivery.routing_key = Text(deliver->routing_key);
  } else {
    begun.is_return = true;
  }
  arrival = std::move(begun);
}

absl::Status Connection::State::OnMethod(const amqp_method_t& method, const Events& events) {
  switch (method.id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
      BeginArrival(method);
      return absl::OkStatus();
    case AMQP_BASIC_ACK_METHOD: {
      const auto* ack = static_cast<const amqp_basic_ack_t*>(method.decoded);
      if (events.acked) events.acked(ack->delivery_tag, ack->multiple != 0);
      return absl::OkStatus();
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto* nack = static_cast<const amqp_basic_nack_t*>(method.decoded);
      if (events.nacked) events.nacked(nack->delivery_tag, nack->multiple != 0);
      return absl::OkStatus();
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
      if (events.blocked) {
        events.blocked(true,
                       Text(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason));
      }
      return absl::OkStatus();
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      if (events.blocked) events.blocked(false, "");
      return absl::OkStatus();
    case AMQP_BASIC_CANCEL_METHOD:
      if (events.consumer_cancelled) events.consumer_cancelled();
      return absl::OkStatus();
    default:
      return FromClose(method, "the channel is gone");
  }
}

void Connection::State::OnHeader(const amqp_frame_t& frame) {
  arrival->body_bytes = frame.payload.properties.body_size;
  arrival->delivery.body.reserve(arrival->body_bytes);
  const auto* properties =
      static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
  if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) {
    arrival->delivery.message_id = Text(properties->message_id);
  }
}

void Connection::State::FinishArrival(const Events& events) {
  Arrival finished = *std::exchange(arrival, std::nullopt);
  if (finished.is_return) {
    if (events.returned) events.returned(std::move(finished.delivery.message_id));
  } else if (events.delivered) {
    events.delivered(std::move(finished.delivery));
  }
}

}  // namespace unbraid::amqp
