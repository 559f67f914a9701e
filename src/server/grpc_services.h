// The gRPC door: every rpc of vettore.v1, forwarded to its operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/impl/codegen/service_type.h"
#include "server/api.h"
#include "server/dispatcher.h"
#include "server/stream_registry.h"

namespace vettore {

struct DoorOptions {
  size_t max_message_bytes = 0;
  uint32_t stream_credits = 4;
};

// The borrows must outlive the server that the services are registered with.
std::vector<std::unique_ptr<grpc::Service>> MakeGrpcServices(Api& api, Dispatcher& dispatcher,
                                                             StreamRegistry& streams,
                                                             const DoorOptions& options);

// "vettore.v1.Points" and so on, for the health service.
std::vector<std::string> GrpcServiceNames();

}  // namespace vettore
