// Collections and their aliases.
#include <utility>

#include "base/status.h"
#include "server/api.h"
#include "server/convert_config.h"

namespace vettore {

Api::Reply<v1::CreateCollectionResponse> Api::CreateCollection(
    const v1::CreateCollectionRequest& request, const Context& context) {
  VETTORE_RETURN_IF_ERROR(context.cancel.Poll());
  VETTORE_ASSIGN_OR_RETURN(const Name name, Name::Parse(request.name(), "name"));
  VETTORE_ASSIGN_OR_RETURN(CollectionConfig config, CollectionConfigFromProto(request.config()));
  VETTORE_RETURN_IF_ERROR(documents_.Resolve(config));
  for (int i = 0; i < request.config().vectors_size(); ++i) {
    // A config that was read from a collection may be sent again: then it must mean the same model.
    const std::string& wanted = request.config().vectors(i).model().fingerprint();
    const auto& model = config.vectors[static_cast<size_t>(i)].model;
    if (wanted.empty() || !model || model->fingerprint == wanted) continue;
    return absl::FailedPreconditionError(
        StrCat("config.vectors[", i, "].model.fingerprint: the model '", model->name,
               "' has another fingerprint here; leave the field empty to take this model"));
  }
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection,
                           database_.Create(name, config));
  v1::CreateCollectionResponse response;
  CollectionInfoToProto(collection->Status(), *response.mutable_collection());
  return response;
}

Api::Reply<v1::GetCollectionResponse> Api::GetCollection(const v1::GetCollectionRequest& request,
                                                         const Context&) {
  VETTORE_ASSIGN_OR_RETURN(const Name name, Name::Parse(request.name(), "name"));
  VETTORE_ASSIGN_OR_RETURN(const std::shared_ptr<Collection> collection, database_.Get(name));
  v1::GetCollectionResponse response;
  CollectionInfoToProto(collection->Status(), *response.mutable_collection());
  return response;
}

Api::Reply<v1::ListCollectionsResponse> Api::ListCollections(const v1::ListCollectionsRequest&,
                                                             const Context&) {
  v1::ListCollectionsResponse response;
  for (const CollectionStatus& status : database_.List()) {
    CollectionInfoToProto(status, *response.add_collections());
  }
  return response;
}

Api::Reply<v1::DeleteCollectionResponse> Api::DeleteCollection(
    const v1::DeleteCollectionRequest& request, const Context& context) {
  VETTORE_RETURN_IF_ERROR(context.cancel.Poll());
  VETTORE_ASSIGN_OR_RETURN(const Name name, Name::Parse(request.name(), "name"));
  VETTORE_RETURN_IF_ERROR(database_.Drop(name));
  return v1::DeleteCollectionResponse();
}

Api::Reply<v1::SetAliasResponse> Api::SetAlias(const v1::SetAliasRequest& request,
                                               const Context& context) {
  VETTORE_RETURN_IF_ERROR(context.cancel.Poll());
  VETTORE_ASSIGN_OR_RETURN(const Name alias, Name::Parse(request.alias(), "alias"));
  VETTORE_ASSIGN_OR_RETURN(const Name collection, Name::Parse(request.collection(), "collection"));
  VETTORE_RETURN_IF_ERROR(database_.SetAlias(alias, collection));
  return v1::SetAliasResponse();
}

Api::Reply<v1::DeleteAliasResponse> Api::DeleteAlias(const v1::DeleteAliasRequest& request,
                                                     const Context& context) {
  VETTORE_RETURN_IF_ERROR(context.cancel.Poll());
  VETTORE_ASSIGN_OR_RETURN(const Name alias, Name::Parse(request.alias(), "alias"));
  VETTORE_RETURN_IF_ERROR(database_.DropAlias(alias));
  return v1::DeleteAliasResponse();
}

Api::Reply<v1::ListAliasesResponse> Api::ListAliases(const v1::ListAliasesRequest&,
                                                     const Context&) {
  v1::ListAliasesResponse response;
  for (const auto& [alias, collection] : database_.ListAliases()) {
    v1::Alias& added = *response.add_aliases();
    added.set_alias(alias);
    added.set_collection(collection);
  }
  return response;
}

}  // namespace vettore
