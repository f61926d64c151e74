#include "services/common/amqp/incoming.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace unbraid::amqp {
namespace {

constexpr char kDeliveryCountHeader[] = "x-delivery-count";

// Text as it is, whole numbers in decimal; nullopt for anything else.
std::optional<std::string> HeaderText(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
      return Text(value.value.bytes);
    case AMQP_FIELD_KIND_I8:
      return absl::StrCat(static_cast<int>(value.value.i8));
    case AMQP_FIELD_KIND_I16:
      return absl::StrCat(value.value.i16);
    case AMQP_FIELD_KIND_I32:
      return absl::StrCat(value.value.i32);
    case AMQP_FIELD_KIND_I64:
      return absl::StrCat(value.value.i64);
    default:
      return std::nullopt;
  }
}

void ReadHeaders(const amqp_table_t& table, Delivery* delivery) {
  for (int i = 0; i < table.num_entries; ++i) {
    const amqp_table_entry_t& entry = table.entries[i];
    std::optional<std::string> text = HeaderText(entry.value);
    if (text.has_value()) delivery->headers.emplace(Text(entry.key), *std::move(text));
  }
  const auto count = delivery->headers.find(kDeliveryCountHeader);
  if (count == delivery->headers.end()) return;
  if (!absl::SimpleAtoi(count->second, &delivery->delivery_count)) delivery->delivery_count = 0;
}

template <typename Callback, typename... Arguments>
void Tell(const Callback& callback, Arguments&&... arguments) {
  if (callback) callback(std::forward<Arguments>(arguments)...);
}

}  // namespace

absl::Status Incoming::OnFrame(const amqp_frame_t& frame, const Events& events) {
  if (frame.frame_type == AMQP_FRAME_METHOD) return OnMethod(frame.payload.method, events);
  if (!arrival_.has_value()) return absl::OkStatus();
  if (frame.frame_type == AMQP_FRAME_HEADER) {
    OnHeader(frame);
  } else if (frame.frame_type == AMQP_FRAME_BODY) {
    const amqp_bytes_t& part = frame.payload.body_fragment;
    arrival_->delivery.body.append(static_cast<const char*>(part.bytes), part.len);
  }
  if (arrival_->delivery.body.size() >= arrival_->body_bytes) Finish(events);
  return absl::OkStatus();
}

absl::Status Incoming::OnMethod(const amqp_method_t& method, const Events& events) {
  switch (method.id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
      Begin(method);
      return absl::OkStatus();
    case AMQP_BASIC_ACK_METHOD: {
      const auto* ack = static_cast<const amqp_basic_ack_t*>(method.decoded);
      Tell(events.acked, ack->delivery_tag, ack->multiple != 0);
      return absl::OkStatus();
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto* nack = static_cast<const amqp_basic_nack_t*>(method.decoded);
      Tell(events.nacked, nack->delivery_tag, nack->multiple != 0);
      return absl::OkStatus();
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
      Tell(events.blocked, true,
           Text(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason));
      return absl::OkStatus();
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      Tell(events.blocked, false, std::string());
      return absl::OkStatus();
    case AMQP_BASIC_CANCEL_METHOD:
      Tell(events.consumer_cancelled);
      return absl::OkStatus();
    default:
      return FromClose(method, "the channel is gone");
  }
}

void Incoming::Begin(const amqp_method_t& method) {
  arrival_ = Arrival();
  if (method.id == AMQP_BASIC_DELIVER_METHOD) {
    const auto* deliver = static_cast<const amqp_basic_deliver_t*>(method.decoded);
    arrival_->delivery.tag.value = deliver->delivery_tag;
    arrival_->delivery.redelivered = deliver->redelivered != 0;
    arrival_->delivery.routing_key = Text(deliver->routing_key);
  } else {
    arrival_->is_return = true;
  }
}

void Incoming::OnHeader(const amqp_frame_t& frame) {
  arrival_->body_bytes = frame.payload.properties.body_size;
  arrival_->delivery.body.reserve(arrival_->body_bytes);
  const auto* properties =
      static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
  if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) {
    arrival_->delivery.message_id = Text(properties->message_id);
  }
  if ((properties->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) != 0) {
    arrival_->correlation_id = Text(properties->correlation_id);
  }
  if ((properties->_flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
    ReadHeaders(properties->headers, &arrival_->delivery);
  }
}

void Incoming::Finish(const Events& events) {
  Arrival finished = *std::exchange(arrival_, std::nullopt);
  if (!finished.is_return) {
    Tell(events.delivered, std::move(finished.delivery));
    return;
  }
  uint64_t sequence = 0;
  if (absl::SimpleAtoi(finished.correlation_id, &sequence)) Tell(events.returned, sequence);
}

}  // namespace unbraid::amqp
