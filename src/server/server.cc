#include "server/server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/machine_memory.h"
#include "base/status.h"
#include "documents/document_store.h"
#include "embed/model_directory.h"
#include "engine/database.h"
#include "server/api.h"
#include "server/dispatcher.h"
#include "server/grpc_services.h"
#include "server/listen_address.h"
#include "server/stream_registry.h"

namespace vettore {

namespace {

// A connection may carry so many calls at once; more wait for it in the client.
constexpr int kCallsPerConnection = 1'000;
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
// How often a client may ask whether the server is alive.
constexpr int kLeastPingIntervalMs = 10'000;
// Only reflection runs on gRPC's own threads.
constexpr int kGrpcThreads = 16;
// For what is still in flight after the grace to see that it was cancelled.
constexpr std::chrono::milliseconds kCancelGrace(100);

uint64_t ThreadsOf(uint64_t setting, unsigned least) {
  return setting != 0 ? setting
                      : std::max(least, std::max(1U, std::thread::hardware_concurrency()));
}

void LogOfGrpc(gpr_log_func_args* args) {
  const bool is_error = args->severity == GPR_LOG_SEVERITY_ERROR;
  Log(is_error ? LogLevel::kWarning : LogLevel::kDebug, "grpc",
      {{"message", std::string(args->message)}});
}

// What gRPC keeps for the whole process.
void PrepareGrpc() {
  static const bool prepared = [] {
    gpr_set_log_function(LogOfGrpc);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  static_cast<void>(prepared);
}

absl::Status CheckRemote(const ListenAddress& address, const ServerOptions& options) {
  if (address.is_local() || options.insecure_remote) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat("listen: ", address.ToString(),
             " can be reached from other machines, and requests are neither encrypted nor "
             "authenticated; listen on "
             "127.0.0.1, or set insecure_remote = true if everyone on that network may read and "
             "delete everything"));
}

void Configure(grpc::ServerBuilder& builder, const ServerOptions& options) {
  const int max_message_bytes = static_cast<int>(options.max_message_bytes);
  builder.SetMaxReceiveMessageSize(max_message_bytes);
  builder.SetMaxSendMessageSize(max_message_bytes);
  // A port in use is refused, not shared.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastPingIntervalMs);
  grpc::ResourceQuota quota("vettore");
  quota.SetMaxThreads(kGrpcThreads);
  quota.Resize(options.queue_bytes + options.max_message_bytes);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
}

}  // namespace

// In the order of their dependence; destroyed in reverse.
struct Server::Parts {
  absl::Status Open(const ServerOptions& options);
  absl::Status Listen(const ListenAddress& at, const ServerOptions& options);
  void Close(absl::Duration grace);

  std::unique_ptr<Database> database;
  std::unique_ptr<ModelDirectory> models;
  std::unique_ptr<DocumentStore> documents;
  std::unique_ptr<Api> api;
  std::unique_ptr<StreamRegistry> streams;
  std::unique_ptr<Dispatcher> dispatcher;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> grpc;

  std::string address;
  int port = 0;

  std::atomic<bool> stop_began = false;
  absl::Notification stopped;
};

absl::Status Server::Parts::Open(const ServerOptions& options) {
  DatabaseOptions database_options;
  database_options.data_dir = options.data_dir;
  database_options.accept_data_loss = options.accept_data_loss;
  database_options.block_cache_bytes = options.block_cache_bytes;
  database_options.index_memory_bytes =
      options.index_memory_bytes != 0 ? options.index_memory_bytes : MachineMemoryBytes() / 4;
  VETTORE_ASSIGN_OR_RETURN(database, Database::Open(database_options));
  models = std::make_unique<ModelDirectory>(options.models_dir);
  documents = std::make_unique<DocumentStore>(*database, *models);
  const uint64_t read_threads = ThreadsOf(options.threads, 1);
  api = std::make_unique<Api>(*database, *models, *documents,
                              ApiOptions{.max_message_bytes = options.max_message_bytes,
                                         .threads = static_cast<uint32_t>(read_threads),
                                         .started = absl::Now()});
  streams = std::make_unique<StreamRegistry>();
  dispatcher = std::make_unique<Dispatcher>(
      Dispatcher::Options{.read_threads = static_cast<int>(read_threads),
                          .write_threads = static_cast<int>(ThreadsOf(options.write_threads, 4)),
                          .queue_requests = options.queue_requests,
                          .queue_bytes = options.queue_bytes,
                          .slow = absl::Milliseconds(options.slow_request_ms)});
  services = MakeGrpcServices(
      *api, *dispatcher, *streams,
      DoorOptions{.max_message_bytes = options.max_message_bytes,
                  .stream_credits = static_cast<uint32_t>(options.stream_credits)});
  return absl::OkStatus();
}

absl::Status Server::Parts::Listen(const ListenAddress& at, const ServerOptions& options) {
  PrepareGrpc();
  grpc::ServerBuilder builder;
  Configure(builder, options);
  int bound_port = 0;
  builder.AddListeningPort(at.ToString(), grpc::InsecureServerCredentials(), &bound_port);
  for (const auto& service : services) builder.RegisterService(service.get());
  {
    // There are no keys yet: only this user may open a Unix socket.
    const mode_t mask = umask(0077);
    const absl::Cleanup restores = [mask] { umask(mask); };
    grpc = builder.BuildAndStart();
  }
  if (grpc == nullptr) {
    VETTORE_RETURN_IF_ERROR(at.Probe());
    return absl::UnavailableError(StrCat("listen: cannot listen on ", at.ToString(),
                                         "; choose another address with --listen"));
  }
  port = at.is_unix() ? 0 : bound_port;
  address = at.ToString(bound_port);
  grpc::HealthCheckServiceInterface* health = grpc->GetHealthCheckService();
  for (const std::string& name : GrpcServiceNames()) health->SetServingStatus(name, true);
  return absl::OkStatus();
}

void Server::Parts::Close(absl::Duration grace) {
  grpc->GetHealthCheckService()->Shutdown();
  dispatcher->StopEntering();
  streams->DrainAll();
  if (!dispatcher->WaitUntilEmpty(grace)) {
    Log(LogLevel::kWarning, "requests cancelled", {{"grace", absl::FormatDuration(grace)}});
  }
  grpc->Shutdown(std::chrono::system_clock::now() + kCancelGrace);
  dispatcher->WaitUntilEmpty(absl::InfiniteDuration());
  grpc.reset();
  services.clear();
  dispatcher.reset();
  streams.reset();
  api.reset();
  documents.reset();
  models.reset();
  database.reset();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Stop(absl::ZeroDuration()); }

const std::string& Server::address() const { return parts_->address; }
int Server::port() const { return parts_->port; }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(const ListenAddress address, ListenAddress::Parse(options.listen));
  VETTORE_RETURN_IF_ERROR(CheckRemote(address, options));
  // Before the data is opened, which may take long.
  VETTORE_RETURN_IF_ERROR(address.Probe());
  auto parts = std::make_unique<Parts>();
  VETTORE_RETURN_IF_ERROR(parts->Open(options));
  VETTORE_RETURN_IF_ERROR(parts->Listen(address, options));
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

void Server::Stop(absl::Duration grace) {
  if (parts_->stop_began.exchange(true)) return Wait();
  parts_->Close(grace);
  parts_->stopped.Notify();
}

void Server::Wait() const { parts_->stopped.WaitForNotification(); }

}  // namespace vettore
