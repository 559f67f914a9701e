#include "server/grpc_services.h"

#include <utility>

#include "server/batch_stream.h"
#include "server/unary_call.h"
#include "vettore/v1/admin.grpc.pb.h"
#include "vettore/v1/collections.grpc.pb.h"
#include "vettore/v1/documents.grpc.pb.h"
#include "vettore/v1/embeddings.grpc.pb.h"
#include "vettore/v1/points.grpc.pb.h"
#include "vettore/v1/search.grpc.pb.h"

namespace vettore {
namespace {

using Context = grpc::CallbackServerContext;
using Bytes = grpc::ByteBuffer;
using Unary = grpc::ServerUnaryReactor;
using Bidi = grpc::ServerBidiReactor<Bytes, Bytes>;

// What gRPC hands over of one unary call.
struct RawCall {
  Context* context;
  const Bytes* in;
  Bytes* out;
};

template <typename Request, typename Response>
using Operation = absl::StatusOr<Response> (Api::*)(const Request&, const RequestContext&);

// What every service forwards to. Messages come as bytes: they are parsed in the pools, with our
// own limits. Thread-safe.
class Door {
 public:
  Door(Api& api, Dispatcher& dispatcher, StreamRegistry& streams, const DoorOptions& options)
      : api_(api), dispatcher_(dispatcher), streams_(streams), options_(options) {}

  // clang's analyzer loses sight of the memory of the routes' std::function.
  // NOLINTBEGIN(clang-analyzer-cplusplus.NewDeleteLeaks)
  template <typename Request, typename Response>
  Unary* Read(std::string_view name, Operation<Request, Response> operation,
              const RawCall& call) const {
    return Start({name, Lane::kRead, HandlerOf(api_, options_.max_message_bytes, operation)}, call);
  }
  template <typename Request, typename Response>
  Unary* Write(std::string_view name, Operation<Request, Response> operation,
               const RawCall& call) const {
    return Start({name, Lane::kWrite, HandlerOf(api_, options_.max_message_bytes, operation)},
                 call);
  }
  // NOLINTEND(clang-analyzer-cplusplus.NewDeleteLeaks)
  template <typename StreamRequest, typename StreamResponse, typename Request, typename Response>
  Bidi* Stream(std::string_view name, Operation<Request, Response> operation,
               Context* context) const {
    const BatchOptions options{.method = name,
                               .credits = options_.stream_credits,
                               .max_reply_bytes = options_.max_message_bytes};
    return StartBatchStream(
        dispatcher_, streams_, *context,
        BatchHandlerOf<StreamRequest, StreamResponse>(api_, dispatcher_, options, operation),
        options);
  }

 private:
  Unary* Start(UnaryRoute route, const RawCall& call) const {
    return StartUnaryCall(dispatcher_, *call.context, *call.in, *call.out, std::move(route));
  }

  Api& api_;
  Dispatcher& dispatcher_;
  StreamRegistry& streams_;
  const DoorOptions options_;
};

class CollectionsService final
    : public v1::Collections::WithRawCallbackMethod_CreateCollection<
          v1::Collections::WithRawCallbackMethod_GetCollection<
              v1::Collections::WithRawCallbackMethod_ListCollections<
                  v1::Collections::WithRawCallbackMethod_DeleteCollection<
                      v1::Collections::WithRawCallbackMethod_SetAlias<
                          v1::Collections::WithRawCallbackMethod_DeleteAlias<
                              v1::Collections::WithRawCallbackMethod_ListAliases<
                                  v1::Collections::Service>>>>>>> {
 public:
  explicit CollectionsService(const Door& door) : door_(door) {}

 private:
  Unary* CreateCollection(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Collections/CreateCollection", &Api::CreateCollection, {context, in, out});
  }
  Unary* GetCollection(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Collections/GetCollection", &Api::GetCollection, {context, in, out});
  }
  Unary* ListCollections(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Collections/ListCollections", &Api::ListCollections, {context, in, out});
  }
  Unary* DeleteCollection(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Collections/DeleteCollection", &Api::DeleteCollection, {context, in, out});
  }
  Unary* SetAlias(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Collections/SetAlias", &Api::SetAlias, {context, in, out});
  }
  Unary* DeleteAlias(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Collections/DeleteAlias", &Api::DeleteAlias, {context, in, out});
  }
  Unary* ListAliases(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Collections/ListAliases", &Api::ListAliases, {context, in, out});
  }

  const Door door_;
};

class PointsService final
    : public v1::Points::WithRawCallbackMethod_Upsert<
          v1::Points::WithRawCallbackMethod_UpsertStream<v1::Points::WithRawCallbackMethod_Get<
              v1::Points::WithRawCallbackMethod_Delete<v1::Points::WithRawCallbackMethod_Scroll<
                  v1::Points::WithRawCallbackMethod_Count<v1::Points::Service>>>>>> {
 public:
  explicit PointsService(const Door& door) : door_(door) {}

 private:
  Unary* Upsert(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Points/Upsert", &Api::UpsertPoints, {context, in, out});
  }
  Bidi* UpsertStream(Context* context) override {
    return door_.Stream<v1::UpsertStreamRequest, v1::UpsertStreamResponse>(
        "Points/UpsertStream", &Api::UpsertPoints, context);
  }
  Unary* Get(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Points/Get", &Api::GetPoints, {context, in, out});
  }
  Unary* Delete(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Points/Delete", &Api::DeletePoints, {context, in, out});
  }
  Unary* Scroll(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Points/Scroll", &Api::ScrollPoints, {context, in, out});
  }
  Unary* Count(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Points/Count", &Api::CountPoints, {context, in, out});
  }

  const Door door_;
};

class SearchService final
    : public v1::Search::WithRawCallbackMethod_Search<
          v1::Search::WithRawCallbackMethod_SearchBatch<v1::Search::Service>> {
 public:
  explicit SearchService(const Door& door) : door_(door) {}

 private:
  Unary* Search(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Search/Search", &Api::Search, {context, in, out});
  }
  Unary* SearchBatch(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Search/SearchBatch", &Api::SearchBatch, {context, in, out});
  }

  const Door door_;
};

class EmbeddingsService final
    : public v1::Embeddings::WithRawCallbackMethod_ListModels<
          v1::Embeddings::WithRawCallbackMethod_Embed<v1::Embeddings::Service>> {
 public:
  explicit EmbeddingsService(const Door& door) : door_(door) {}

 private:
  Unary* ListModels(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Embeddings/ListModels", &Api::ListModels, {context, in, out});
  }
  Unary* Embed(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Embeddings/Embed", &Api::Embed, {context, in, out});
  }

  const Door door_;
};

class DocumentsService final : public v1::Documents::WithRawCallbackMethod_UpsertDocuments<
                                   v1::Documents::WithRawCallbackMethod_UpsertDocumentsStream<
                                       v1::Documents::WithRawCallbackMethod_GetDocument<
                                           v1::Documents::WithRawCallbackMethod_DeleteDocuments<
                                               v1::Documents::WithRawCallbackMethod_SearchPassages<
                                                   v1::Documents::Service>>>>> {
 public:
  explicit DocumentsService(const Door& door) : door_(door) {}

 private:
  Unary* UpsertDocuments(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Documents/UpsertDocuments", &Api::UpsertDocuments, {context, in, out});
  }
  Bidi* UpsertDocumentsStream(Context* context) override {
    return door_.Stream<v1::UpsertDocumentsStreamRequest, v1::UpsertDocumentsStreamResponse>(
        "Documents/UpsertDocumentsStream", &Api::UpsertDocuments, context);
  }
  Unary* GetDocument(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Documents/GetDocument", &Api::GetDocument, {context, in, out});
  }
  Unary* DeleteDocuments(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Write("Documents/DeleteDocuments", &Api::DeleteDocuments, {context, in, out});
  }
  Unary* SearchPassages(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Documents/SearchPassages", &Api::SearchPassages, {context, in, out});
  }

  const Door door_;
};

class AdminService final : public v1::Admin::WithRawCallbackMethod_GetStatus<v1::Admin::Service> {
 public:
  explicit AdminService(const Door& door) : door_(door) {}

 private:
  Unary* GetStatus(Context* context, const Bytes* in, Bytes* out) override {
    return door_.Read("Admin/GetStatus", &Api::GetStatus, {context, in, out});
  }

  const Door door_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> MakeGrpcServices(Api& api, Dispatcher& dispatcher,
                                                             StreamRegistry& streams,
                                                             const DoorOptions& options) {
  const Door door(api, dispatcher, streams, options);
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(std::make_unique<CollectionsService>(door));
  services.push_back(std::make_unique<PointsService>(door));
  services.push_back(std::make_unique<SearchService>(door));
  services.push_back(std::make_unique<EmbeddingsService>(door));
  services.push_back(std::make_unique<DocumentsService>(door));
  services.push_back(std::make_unique<AdminService>(door));
  return services;
}

std::vector<std::string> GrpcServiceNames() {
  return {v1::Collections::service_full_name(), v1::Points::service_full_name(),
          v1::Search::service_full_name(),      v1::Embeddings::service_full_name(),
          v1::Documents::service_full_name(),   v1::Admin::service_full_name()};
}

}  // namespace vettore
