#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"

namespace unbraid::test_support {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr int kBacklog = 64;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

absl::StatusOr<std::unique_ptr<TcpProxy>> TcpProxy::Start(int target_port) {
  std::unique_ptr<TcpProxy> proxy(
      new TcpProxy(target_port, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  const absl::Status listening = proxy->Listen();
  if (!listening.ok()) return listening;
  proxy->thread_ = std::thread([raw = proxy.get()] { raw->Run(); });
  return proxy;
}

TcpProxy::TcpProxy(int target_port, int wake_descriptor)
    : target_port_(target_port), wake_descriptor_(wake_descriptor) {}

absl::Status TcpProxy::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address = Loopback(port_);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, kBacklog) != 0) {
    return absl::UnavailableError("the proxy cannot listen");
  }
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  return absl::OkStatus();
}

TcpProxy::~TcpProxy() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  Wake();
  if (thread_.joinable()) thread_.join();
  for (Pair& pair : pairs_) Reset(&pair);
  if (listener_ >= 0) close(listener_);
  close(wake_descriptor_);
}

void TcpProxy::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_descriptor_, &one, sizeof(one));
}

void TcpProxy::Request(Mode mode, bool cut) {
  absl::MutexLock lock(&mutex_);
  mode_ = mode;
  cut_wanted_ = cut;
  applied_ = false;
  Wake();
  mutex_.Await(absl::Condition(&applied_));
}

void TcpProxy::CutAll() {
  Mode mode;
  {
    absl::MutexLock lock(&mutex_);
    mode = mode_;
  }
  Request(mode, /*cut=*/true);
}

void TcpProxy::RefuseNew() { Request(Mode::kRefuse, /*cut=*/false); }
void TcpProxy::BlackHole() { Request(Mode::kSilent, /*cut=*/false); }
void TcpProxy::Resume() { Request(Mode::kForward, /*cut=*/false); }

int TcpProxy::accepted() const {
  absl::MutexLock lock(&mutex_);
  return accepted_;
}

bool TcpProxy::AwaitAccepted(int count, absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return accepted_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), timeout);
}

size_t TcpProxy::bytes_from_clients() const {
  absl::MutexLock lock(&mutex_);
  return bytes_from_clients_;
}

bool TcpProxy::AwaitBytesFromClients(size_t count, absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return bytes_from_clients_ >= count;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&reached), timeout);
}

void TcpProxy::Run() {
  bool silent = false;
  while (ApplyRequest(&silent)) {
    std::vector<pollfd> watched = Watched(silent);
    poll(watched.data(), watched.size(), /*timeout=*/-1);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_descriptor_, &count, sizeof(count));
    if (listener_ >= 0) Accept();
    if (silent) continue;
    for (auto pair = pairs_.begin(); pair != pairs_.end();) {
      if (Forward(&*pair)) {
        ++pair;
      } else {
        Reset(&*pair);
        pair = pairs_.erase(pair);
      }
    }
  }
}

bool TcpProxy::ApplyRequest(bool* silent) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) {
    applied_ = true;
    return false;
  }
  if (applied_) return true;
  *silent = mode_ == Mode::kSilent;
  if (mode_ == Mode::kRefuse && listener_ >= 0) {
    close(listener_);
    listener_ = -1;
  }
  if (mode_ != Mode::kRefuse && listener_ < 0) Listen().IgnoreError();
  if (cut_wanted_) {
    for (Pair& pair : pairs_) Reset(&pair);
    pairs_.clear();
    cut_wanted_ = false;
  }
  applied_ = true;
  return true;
}

std::vector<pollfd> TcpProxy::Watched(bool silent) const {
  std::vector<pollfd> watched = {{wake_descriptor_, POLLIN, 0}, {listener_, POLLIN, 0}};
  if (silent) return watched;
  for (const Pair& pair : pairs_) {
    for (const Flow& flow : pair.flows) {
      if (!flow.ended && flow.waiting.size() < kBufferBytes) {
        watched.push_back({flow.from, POLLIN, 0});
      }
      if (!flow.waiting.empty()) watched.push_back({flow.to, POLLOUT, 0});
    }
  }
  return watched;
}

void TcpProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  const int target = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(target_port_);
  if (connect(target, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(client);
    close(target);
    return;
  }
  fcntl(target, F_SETFL, O_NONBLOCK);
  pairs_.push_back(
      {client, target, {Flow{client, target, "", false}, Flow{target, client, "", false}}});
  absl::MutexLock lock(&mutex_);
  ++accepted_;
}

bool TcpProxy::Forward(Pair* pair) {
  for (Flow& flow : pair->flows) {
    if (!flow.ended && flow.waiting.size() < kBufferBytes) {
      std::string part(kBufferBytes, '\0');
      const ssize_t got = recv(flow.from, part.data(), part.size(), 0);
      if (got < 0 && !WouldBlock()) return false;
      flow.ended = got == 0;
      if (got > 0) flow.waiting.append(part, 0, static_cast<size_t>(got));
      if (got > 0 && flow.from == pair->client) {
        absl::MutexLock lock(&mutex_);
        bytes_from_clients_ += static_cast<size_t>(got);
      }
    }
    if (!flow.waiting.empty()) {
      const ssize_t put = send(flow.to, flow.waiting.data(), flow.waiting.size(), MSG_NOSIGNAL);
      if (put < 0 && !WouldBlock()) return false;
      if (put > 0) flow.waiting.erase(0, static_cast<size_t>(put));
    }
    if (flow.ended && flow.waiting.empty()) shutdown(flow.to, SHUT_WR);
  }
  for (const Flow& flow : pair->flows) {
    if (!flow.ended || !flow.waiting.empty()) return true;
  }
  return false;
}

void TcpProxy::Reset(Pair* pair) {
  const linger at_once = {1, 0};  // a reset, not a polite end
  for (const int descriptor : {pair->client, pair->target}) {
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(descriptor);
  }
}

}  // namespace unbraid::test_support
