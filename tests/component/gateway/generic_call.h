#ifndef UNBRAID_TESTS_COMPONENT_GATEWAY_GENERIC_CALL_H_
#define UNBRAID_TESTS_COMPONENT_GATEWAY_GENERIC_CALL_H_

#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/component/gateway/fixture.h"

namespace unbraid::gateway {

// A streaming call by the method's path, with raw messages: the distribution ships no protos of
// gRPC's own services.
class GenericCall {
 public:
  GenericCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
              const std::string& request)
      : stub_(channel), call_(stub_.PrepareCall(&context_, method, &queue_)) {
    call_->StartCall(nullptr);
    Wait();
    const grpc::Slice slice(request);
    call_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    Wait();
  }
  ~GenericCall() {
    context_.TryCancel();
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Wait();
    queue_.Shutdown();
  }

  // The next message; nothing at the end.
  std::optional<std::string> Read() {
    grpc::ByteBuffer buffer;
    call_->Read(&buffer, nullptr);
    if (!Wait()) return std::nullopt;
    grpc::Slice slice;
    if (!buffer.DumpToSingleSlice(&slice).ok()) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  Patient context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

}  // namespace unbraid::gateway

#endif  // UNBRAID_TESTS_COMPONENT_GATEWAY_GENERIC_CALL_H_
