// Starting, stopping, deadlines, health, reflection: the server as a process sees it.
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "server/running_server.h"
#include "server/serve.h"

namespace vettore {
namespace {

using testing::HasSubstr;

class Lifecycle : public RunningServer {
 protected:
  // A read that waits for a position that does not come.
  static v1::CountRequest WaitingCount() {
    v1::CountRequest request;
    request.set_collection("things");
    request.mutable_read()->mutable_min_position()->set_seq(1'000'000);
    return request;
  }

  uint64_t Epoch() {
    v1::GetCollectionRequest get;
    get.set_name("things");
    v1::GetCollectionResponse response;
    EXPECT_TRUE(
        Succeeds(Call(collections_, &v1::Collections::Stub::GetCollection, get, &response)));
    return response.collection().position().epoch();
  }

  // grpc.health.v1.Health/Check by its bytes: field 1 of the request is the service, of the reply
  // the status.
  grpc::Status CheckHealth(const std::string& service, int* serving) {
    std::string request;
    if (!service.empty())
      request = StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
    std::string reply;
    const grpc::Status status = CallRaw("/grpc.health.v1.Health/Check", request, &reply);
    *serving = reply.size() == 2 && reply[0] == 0x08 ? reply[1] : 0;
    return status;
  }
};

TEST_F(Lifecycle, HealthIsServingForTheServerAndEachService) {
  Start();
  for (const char* service :
       {"", "vettore.v1.Collections", "vettore.v1.Points", "vettore.v1.Search",
        "vettore.v1.Embeddings", "vettore.v1.Documents", "vettore.v1.Admin"}) {
    int serving = 0;
    ASSERT_TRUE(Succeeds(CheckHealth(service, &serving))) << service;
    EXPECT_EQ(serving, 1) << service;
  }
  int serving = 0;
  EXPECT_EQ(CheckHealth("no.such.Service", &serving).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(Lifecycle, ReflectionListsEveryService) {
  Start();
  // ServerReflectionRequest{list_services: ""}: field 7.
  const grpc::Slice slice(std::string("\x3a\x00", 2));
  grpc::ByteBuffer request(&slice, 1);
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto stream = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  void* tag = nullptr;
  bool ok = false;
  const auto next = [&] { ASSERT_TRUE(queue.Next(&tag, &ok) && ok); };
  stream->StartCall(nullptr);
  next();
  stream->Write(request, nullptr);
  next();
  grpc::ByteBuffer reply;
  stream->Read(&reply, nullptr);
  next();
  grpc::Slice whole;
  ASSERT_TRUE(reply.DumpToSingleSlice(&whole).ok());
  const std::string listed(reinterpret_cast<const char*>(whole.begin()), whole.size());
  for (const char* service :
       {"vettore.v1.Collections", "vettore.v1.Points", "vettore.v1.Search", "vettore.v1.Embeddings",
        "vettore.v1.Documents", "vettore.v1.Admin", "grpc.health.v1.Health"}) {
    EXPECT_THAT(listed, HasSubstr(service));
  }
  context.TryCancel();
  grpc::Status status;
  stream->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
}

TEST_F(Lifecycle, PortInUseIsRefusedByName) {
  Start();
  ServerOptions second = options_;
  second.listen = server_->address();
  second.data_dir = folder_.path() / "second";
  const absl::Status status = Server::Start(second).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(
      std::string(StdView(status.message())),
      testing::AllOf(HasSubstr(server_->address()), HasSubstr("in use"), HasSubstr("--listen")));
  EXPECT_FALSE(std::filesystem::exists(second.data_dir)) << "refused before the data is touched";
}

TEST_F(Lifecycle, SocketInUseIsRefusedAndALeftOverOneReplaced) {
  const std::string path = folder_.path() / "socket";
  Start([&](ServerOptions& options) { options.listen = "unix:" + path; });
  EXPECT_EQ(server_->address(), "unix:" + path);
  EXPECT_EQ(server_->port(), 0);
  EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms(077),
            std::filesystem::perms::none)
      << "others may not connect";
  CreateThings();
  ServerOptions second = options_;
  second.data_dir = folder_.path() / "second";
  EXPECT_EQ(Server::Start(second).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(CountThings(), 0U) << "the running server still has its socket";

  const std::string left_over = folder_.path() / "left-over";
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::copy(left_over.begin(), left_over.end(), address.sun_path);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    close(fd);
  }
  Start([&](ServerOptions& options) { options.listen = "unix:" + left_over; });
  EXPECT_EQ(CountThings(), 0U);
}

TEST_F(Lifecycle, DataDirectoryInUseIsRefused) {
  Start();
  EXPECT_FALSE(Server::Start(options_).ok());
}

TEST_F(Lifecycle, AddressBeyondLoopbackMustBeAskedForInWords) {
  ServerOptions options = options_;
  options.listen = "0.0.0.0:0";
  const absl::Status status = Server::Start(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(StdView(status.message())), HasSubstr("insecure_remote"));
  options.insecure_remote = true;
  EXPECT_TRUE(Server::Start(options).ok());
}

TEST_F(Lifecycle, DeadlineAndCancellationFreeTheThread) {
  Start([](ServerOptions& options) { options.threads = 1; });
  CreateThings();
  v1::CountRequest waiting = WaitingCount();
  waiting.mutable_read()->mutable_min_position()->set_epoch(Epoch());
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    v1::CountResponse response;
    EXPECT_EQ(points_->Count(&context, waiting, &response).error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  {
    grpc::ClientContext context;
    std::thread canceller([&] {
      absl::SleepFor(absl::Milliseconds(200));
      context.TryCancel();
    });
    v1::CountResponse response;
    EXPECT_EQ(points_->Count(&context, waiting, &response).error_code(),
              grpc::StatusCode::CANCELLED);
    canceller.join();
  }
  const absl::Time began = absl::Now();
  EXPECT_EQ(CountThings(), 0U);
  EXPECT_LT(absl::Now() - began, absl::Seconds(3))
      << "the only thread still waits for a caller that is gone";
}

TEST_F(Lifecycle, FullQueueIsRefused) {
  Start([](ServerOptions& options) {
    options.threads = 1;
    options.queue_requests = 1;
  });
  CreateThings();
  v1::CountRequest waiting = WaitingCount();
  waiting.mutable_read()->mutable_min_position()->set_epoch(Epoch());
  std::atomic<int> refused = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
      v1::CountResponse response;
      const grpc::Status status = points_->Count(&context, waiting, &response);
      if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) ++refused;
    });
  }
  for (std::thread& client : clients) client.join();
  // One runs, one waits; the others may come before the first has left the queue.
  EXPECT_GE(refused, 4);
  EXPECT_LE(refused, 5);
}

TEST_F(Lifecycle, StopLetsARequestInFlightEndAndRefusesNewOnes) {
  Start();
  CreateThings();
  v1::CountRequest waiting = WaitingCount();
  waiting.mutable_read()->mutable_min_position()->set_epoch(Epoch());
  waiting.mutable_read()->mutable_min_position()->set_seq(1);
  grpc::Status in_flight;
  std::thread client([&] {
    grpc::ClientContext context;
    v1::CountResponse response;
    in_flight = points_->Count(&context, waiting, &response);
  });
  absl::SleepFor(absl::Milliseconds(300));
  const absl::Time began = absl::Now();
  std::thread stopper([this] { server_->Stop(absl::Seconds(1)); });
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_THAT(UpsertThings(1, 1), Fails(grpc::StatusCode::UNAVAILABLE, "stopping"));
  int serving = 0;
  ASSERT_TRUE(Succeeds(CheckHealth("", &serving)));
  EXPECT_EQ(serving, 2) << "NOT_SERVING";
  stopper.join();
  client.join();
  EXPECT_FALSE(in_flight.ok());
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(900)) << "it had its grace";
  EXPECT_LT(absl::Now() - began, absl::Seconds(8)) << "and then it was cancelled";
}

TEST_F(Lifecycle, StopsAtOnceWhenNothingIsInFlight) {
  Start();
  CreateThings();
  const absl::Time began = absl::Now();
  server_->Stop(absl::Seconds(30));
  server_->Wait();
  EXPECT_LT(absl::Now() - began, absl::Seconds(5));
  server_->Stop(absl::Seconds(30));
}

TEST_F(Lifecycle, SignalEndsServe) {
  std::string address;
  const auto on_ready = [&](const Server& server) {
    address = server.address();
    kill(getpid(), SIGTERM);
    return absl::OkStatus();
  };
  const absl::Status status = ServeUntilSignal(options_, StdinEnd::kIgnored, on_ready);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(address, HasSubstr("127.0.0.1:"));
}

TEST_F(Lifecycle, ErrorOfTheReadyCallEndsServeWithIt) {
  const absl::Status status = ServeUntilSignal(options_, StdinEnd::kIgnored, [](const Server&) {
    return absl::PermissionDeniedError("no");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(Lifecycle, SecondSignalEndsTheProcessAtOnce) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  options_.log_level = LogLevel::kWarning;
  EXPECT_EXIT(
      {
        (void)ServeUntilSignal(options_, StdinEnd::kIgnored, [&](const Server&) {
          kill(getpid(), SIGTERM);
          absl::SleepFor(absl::Milliseconds(500));
          std::filesystem::remove_all(folder_.path());
          kill(getpid(), SIGTERM);
          absl::SleepFor(absl::Seconds(30));
          return absl::OkStatus();
        });
        std::exit(0);
      },
      testing::ExitedWithCode(128 + SIGTERM), "second signal");
}

}  // namespace
}  // namespace vettore
