#include "services/common/amqp/tcp_connect.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/common/base/steady.h"

namespace unbraid::amqp {
namespace {

// 0 when connected, ECANCELED when broken off, or why not.
int AwaitConnected(int descriptor, absl::Duration timeout, int stop_descriptor) {
  const int64_t left = absl::ToInt64Milliseconds(timeout);
  std::array<pollfd, 2> watched = {pollfd{descriptor, POLLOUT, 0},
                                   pollfd{stop_descriptor, POLLIN, 0}};  // poll skips -1
  const int ready =
      poll(watched.data(), watched.size(), static_cast<int>(std::max<int64_t>(left, 0)));
  if (ready < 0) return errno;
  if (watched[1].revents != 0) return ECANCELED;
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

// The socket, or minus the reason.
int ConnectTo(const addrinfo& address, absl::Duration timeout, int stop_descriptor) {
  const int descriptor = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  int error = 0;
  if (connect(descriptor, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno == EINPROGRESS ? AwaitConnected(descriptor, timeout, stop_descriptor) : errno;
  }
  if (error != 0) {
    close(descriptor);
    return -error;
  }
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  return descriptor;
}

}  // namespace

absl::StatusOr<int> ConnectTcp(const std::string& host, int port, absl::Duration timeout,
                               int stop_descriptor) {
  const std::string doing = absl::StrCat("cannot connect to the broker at ", host, ":", port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int lookup = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (lookup != 0) {
    return absl::UnavailableError(absl::StrCat(doing, ": ", gai_strerror(lookup)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int left = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) ++left;
  // Begins behind the lookup, which may have asked a dead name server first; and one address that
  // answers nothing leaves the others their share.
  const absl::Time end = base::SteadyNow() + timeout;
  int result = -EADDRNOTAVAIL;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next, --left) {
    result = ConnectTo(*address, (end - base::SteadyNow()) / left, stop_descriptor);
    if (result >= 0) return result;
    if (result == -ECANCELED) return absl::CancelledError(absl::StrCat(doing, ": broken off"));
  }
  return absl::UnavailableError(absl::StrCat(doing, ": ", std::strerror(-result)));
}

}  // namespace unbraid::amqp
