#include "services/common/amqp/rabbitmq_c.h"

#include "absl/strings/str_cat.h"

namespace unbraid::amqp {
namespace {

constexpr int kNotFound = 404;

absl::Status Gone(absl::string_view doing, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", why));
}

amqp_table_entry_t Entry(const char* key, uint8_t kind) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(key);
  entry.value.kind = kind;
  return entry;
}

}  // namespace

amqp_bytes_t Bytes(const std::string& text) {
  return amqp_bytes_t{text.size(), const_cast<char*>(text.data())};
}

std::string Text(amqp_bytes_t bytes) {
  return std::string(static_cast<const char*>(bytes.bytes), bytes.len);
}

amqp_table_entry_t TableText(const char* key, const std::string& value) {
  amqp_table_entry_t entry = Entry(key, AMQP_FIELD_KIND_UTF8);
  entry.value.value.bytes = Bytes(value);
  return entry;
}

amqp_table_entry_t TableNumber(const char* key, int value) {
  amqp_table_entry_t entry = Entry(key, AMQP_FIELD_KIND_I32);
  entry.value.value.i32 = value;
  return entry;
}

amqp_table_entry_t TableFlag(const char* key) {
  amqp_table_entry_t entry = Entry(key, AMQP_FIELD_KIND_BOOLEAN);
  entry.value.value.boolean = 1;
  return entry;
}

absl::Status FromLibrary(int code, absl::string_view doing) {
  return code == AMQP_STATUS_OK ? absl::OkStatus() : Gone(doing, amqp_error_string2(code));
}

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

}  // namespace unbraid::amqp
