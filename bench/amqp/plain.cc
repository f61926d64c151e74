#include "bench/amqp/plain.h"

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

#include <cstdlib>
#include <iostream>

namespace unbraid::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameMaxBytes = 131072;
constexpr uint8_t kPersistent = 2;

void Require(bool good, const char* what) {
  if (good) return;
  std::cerr << "error: " << what << "\n";
  std::exit(EXIT_FAILURE);
}

void RequireReply(amqp_connection_state_t handle, const char* what) {
  Require(amqp_get_rpc_reply(handle).reply_type == AMQP_RESPONSE_NORMAL, what);
}

amqp_bytes_t Bytes(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

amqp_connection_state_t Handle(void* handle) {
  return static_cast<amqp_connection_state_t>(handle);
}

}  // namespace

PlainConnection::PlainConnection(const amqp::ConnectionOptions& options)
    : handle_(amqp_new_connection()) {
  const amqp_connection_state_t handle = Handle(handle_);
  amqp_socket_t* socket = amqp_tcp_socket_new(handle);
  Require(amqp_socket_open(socket, options.host.c_str(), options.port) == AMQP_STATUS_OK,
          "cannot connect");
  const amqp_rpc_reply_t login =
      amqp_login(handle, options.vhost.c_str(), 0, kFrameMaxBytes, 0, AMQP_SASL_METHOD_PLAIN,
                 options.user.c_str(), options.password.c_str());
  Require(login.reply_type == AMQP_RESPONSE_NORMAL, "cannot log in");
  amqp_channel_open(handle, kChannel);
  RequireReply(handle, "cannot open a channel");
  amqp_confirm_select(handle, kChannel);
  RequireReply(handle, "cannot select confirms");
}

PlainConnection::~PlainConnection() {
  amqp_connection_close(Handle(handle_), AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(Handle(handle_));
}

void PlainConnection::Publish(const std::vector<amqp::Message>& messages, size_t window) {
  size_t open = 0;
  for (const amqp::Message& message : messages) {
    while (open >= window) open -= AwaitConfirm();
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.delivery_mode = kPersistent;
    properties.message_id = Bytes(message.message_id);
    const int status = amqp_basic_publish(
        Handle(handle_), kChannel, Bytes(message.exchange), Bytes(message.routing_key),
        /*mandatory=*/1, /*immediate=*/0, &properties, Bytes(message.body));
    Require(status == AMQP_STATUS_OK, "cannot publish");
    ++open;
  }
  while (open > 0) open -= AwaitConfirm();
}

size_t PlainConnection::AwaitConfirm() {
  amqp_frame_t frame;
  Require(amqp_simple_wait_frame(Handle(handle_), &frame) == AMQP_STATUS_OK, "no confirm");
  Require(frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD,
          "the broker did not confirm");
  const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
  // One message, or all up to this one.
  const uint64_t stands_for = ack->multiple != 0 ? ack->delivery_tag - confirmed_ : 1;
  confirmed_ += stands_for;
  amqp_maybe_release_buffers(Handle(handle_));
  return stands_for;
}

size_t PlainConnection::Consume(const std::string& queue, int prefetch, size_t count) {
  const amqp_connection_state_t handle = Handle(handle_);
  amqp_basic_qos(handle, kChannel, 0, static_cast<uint16_t>(prefetch), /*global=*/0);
  RequireReply(handle, "cannot set the prefetch");
  amqp_basic_consume(handle, kChannel, Bytes(queue), amqp_empty_bytes, /*no_local=*/0, /*no_ack=*/0,
                     /*exclusive=*/0, amqp_empty_table);
  RequireReply(handle, "cannot consume");
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    amqp_maybe_release_buffers(handle);
    amqp_envelope_t envelope;
    const amqp_rpc_reply_t reply = amqp_consume_message(handle, &envelope, nullptr, 0);
    Require(reply.reply_type == AMQP_RESPONSE_NORMAL, "no message");
    bytes += envelope.message.body.len;
    const uint64_t tag = envelope.delivery_tag;
    amqp_destroy_envelope(&envelope);
    Require(amqp_basic_ack(handle, kChannel, tag, /*multiple=*/0) == AMQP_STATUS_OK, "cannot ack");
  }
  return bytes;
}

void PlainConnection::DeleteQueue(const std::string& queue) {
  amqp_queue_delete(Handle(handle_), kChannel, Bytes(queue), /*if_unused=*/0, /*if_empty=*/0);
  RequireReply(Handle(handle_), "cannot delete the queue");
}

}  // namespace unbraid::bench
