#ifndef UNBRAID_SERVICES_COMMON_AMQP_RABBITMQ_C_H_
#define UNBRAID_SERVICES_COMMON_AMQP_RABBITMQ_C_H_

// Private to this folder: the C library, and what turns its types into ours.

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unbraid::amqp {

// The one channel of every connection.
inline constexpr amqp_channel_t kChannel = 1;

// Borrows: `text` must outlive the result. The library never writes through it.
amqp_bytes_t Bytes(const std::string& text);
std::string Text(amqp_bytes_t bytes);

amqp_table_entry_t TableText(const char* key, const std::string& value);
amqp_table_entry_t TableNumber(const char* key, int value);
amqp_table_entry_t TableFlag(const char* key);

// What the library reports, as a sentence that begins with what was being done.
absl::Status FromLibrary(int code, absl::string_view doing);
absl::Status FromReply(const amqp_rpc_reply_t& reply, absl::string_view doing);

// What the broker said when it closed the channel (NOT_FOUND where it says so) or the connection.
absl::Status FromClose(const amqp_method_t& method, absl::string_view doing);

}  // namespace unbraid::amqp

#endif  // UNBRAID_SERVICES_COMMON_AMQP_RABBITMQ_C_H_
