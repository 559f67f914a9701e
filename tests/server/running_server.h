// A real server on a real data directory for a test, and stubs that talk to it over a socket.
#pragma once

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/server.h"
#include "support/real_model.h"
#include "support/temporary_directory.h"
#include "vettore/v1/admin.grpc.pb.h"
#include "vettore/v1/collections.grpc.pb.h"
#include "vettore/v1/documents.grpc.pb.h"
#include "vettore/v1/embeddings.grpc.pb.h"
#include "vettore/v1/points.grpc.pb.h"
#include "vettore/v1/search.grpc.pb.h"

namespace vettore {

// A fixture whose server listens on a free loopback port.
class RunningServer : public testing::Test {
 protected:
  RunningServer();

  // (Re)starts the server on the same data directory.
  void Start(const std::function<void(ServerOptions&)>& change = {});
  void Stop() { server_.reset(); }

  // One call with a generous deadline.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(const std::unique_ptr<Stub>& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    return (stub.get()->*method)(&context, request, response);
  }

  // One call of any method with any bytes, as a client of another language may send them.
  grpc::Status CallRaw(const std::string& method, const std::string& request, std::string* reply);

  // "things": vectors of 4 under L2, HNSW.
  void CreateThings();
  grpc::Status Create(const v1::CreateCollectionRequest& request);
  // Points first, first + 1, ... with the vector (id, 0, 0, 0) and the payload {n: id, parity:
  // ...}.
  grpc::Status UpsertThings(uint64_t first, uint64_t count);
  grpc::Status Upsert(const v1::UpsertRequest& request);
  grpc::Status Search(const v1::SearchRequest& request, v1::SearchResponse* response = nullptr);
  uint64_t CountThings();

  ServerOptions options_;
  TemporaryDirectory folder_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  std::unique_ptr<v1::Collections::Stub> collections_;
  std::unique_ptr<v1::Documents::Stub> documents_;
  std::unique_ptr<v1::Embeddings::Stub> embeddings_;
  std::unique_ptr<v1::Points::Stub> points_;
  std::unique_ptr<v1::Search::Stub> search_;
};

// Request builders.
v1::Point MakePoint(uint64_t id, const std::vector<float>& vector);
v1::UpsertRequest ThingsBatch(uint64_t first, uint64_t count);
v1::SearchRequest SearchThings(const std::vector<float>& query, uint64_t k);
v1::Filter Equals(const std::string& field, int64_t value);

MATCHER_P2(Fails, code, text, "") {
  *result_listener << "code " << arg.error_code() << ", message: " << arg.error_message();
  return arg.error_code() == code &&
         testing::Matches(testing::HasSubstr(text))(arg.error_message());
}

// ASSERT_OK(status): prints the message of a failure.
inline testing::AssertionResult Succeeds(const grpc::Status& status) {
  if (status.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << status.error_code() << ": " << status.error_message();
}

}  // namespace vettore
