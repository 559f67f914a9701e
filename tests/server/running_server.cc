#include "server/running_server.h"

#include <grpcpp/generic/generic_stub.h>

#include <cstdlib>

#include "absl/synchronization/notification.h"

namespace vettore {

RunningServer::RunningServer() {
  options_.listen = "127.0.0.1:0";
  options_.data_dir = folder_.path() / "data";
  options_.models_dir = folder_.path() / "models";
  options_.log_level = LogLevel::kError;
}

void RunningServer::Start(const std::function<void(ServerOptions&)>& change) {
  Stop();
  if (change) change(options_);
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options_);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ =
      grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
  admin_ = v1::Admin::NewStub(channel_);
  collections_ = v1::Collections::NewStub(channel_);
  documents_ = v1::Documents::NewStub(channel_);
  embeddings_ = v1::Embeddings::NewStub(channel_);
  points_ = v1::Points::NewStub(channel_);
  search_ = v1::Search::NewStub(channel_);
}

grpc::Status RunningServer::CallRaw(const std::string& method, const std::string& request,
                                    std::string* reply) {
  const grpc::Slice slice(request);
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  grpc::GenericStub stub(channel_);
  grpc::Status status;
  absl::Notification done;
  stub.UnaryCall(&context, method, {}, &sent, &received, [&](const grpc::Status& result) {
    status = result;
    done.Notify();
  });
  done.WaitForNotification();
  grpc::Slice whole;
  if (status.ok() && received.DumpToSingleSlice(&whole).ok()) {
    reply->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  return status;
}

grpc::Status RunningServer::Create(const v1::CreateCollectionRequest& request) {
  v1::CreateCollectionResponse response;
  return Call(collections_, &v1::Collections::Stub::CreateCollection, request, &response);
}

void RunningServer::CreateThings() {
  v1::CreateCollectionRequest request;
  request.set_name("things");
  v1::VectorConfig& vector = *request.mutable_config()->add_vectors();
  vector.set_dimension(4);
  vector.set_metric(v1::METRIC_L2);
  ASSERT_TRUE(Succeeds(Create(request)));
}

grpc::Status RunningServer::Upsert(const v1::UpsertRequest& request) {
  v1::UpsertResponse response;
  return Call(points_, &v1::Points::Stub::Upsert, request, &response);
}

grpc::Status RunningServer::UpsertThings(uint64_t first, uint64_t count) {
  return Upsert(ThingsBatch(first, count));
}

grpc::Status RunningServer::Search(const v1::SearchRequest& request, v1::SearchResponse* response) {
  v1::SearchResponse ignored;
  return Call(search_, &v1::Search::Stub::Search, request,
              response == nullptr ? &ignored : response);
}

uint64_t RunningServer::CountThings() {
  v1::CountRequest request;
  request.set_collection("things");
  v1::CountResponse response;
  EXPECT_TRUE(Succeeds(Call(points_, &v1::Points::Stub::Count, request, &response)));
  return response.count();
}

v1::Point MakePoint(uint64_t id, const std::vector<float>& vector) {
  v1::Point point;
  point.mutable_id()->set_number(id);
  point.add_vectors()->mutable_values()->Add(vector.begin(), vector.end());
  return point;
}

v1::UpsertRequest ThingsBatch(uint64_t first, uint64_t count) {
  v1::UpsertRequest request;
  request.set_collection("things");
  request.mutable_options()->set_durability(v1::DURABILITY_BUFFERED);
  for (uint64_t id = first; id < first + count; ++id) {
    v1::Point& point = *request.add_points();
    point = MakePoint(id, {static_cast<float>(id), 0, 0, 0});
    auto& fields = *point.mutable_payload()->mutable_fields();
    fields["n"].set_integer(static_cast<int64_t>(id));
    fields["parity"].set_text(id % 2 == 0 ? "even" : "odd");
  }
  return request;
}

v1::SearchRequest SearchThings(const std::vector<float>& query, uint64_t k) {
  v1::SearchRequest request;
  request.set_collection("things");
  request.mutable_vector()->mutable_values()->Add(query.begin(), query.end());
  request.set_k(k);
  return request;
}

v1::Filter Equals(const std::string& field, int64_t value) {
  v1::Filter filter;
  filter.mutable_equals()->set_field(field);
  filter.mutable_equals()->mutable_value()->set_integer(value);
  return filter;
}

}  // namespace vettore
