// Collection configs and their state, between protobuf and the engine.
#pragma once

#include "absl/status/statusor.h"
#include "engine/requests.h"
#include "types/collection_config.h"
#include "vettore/v1/collections.pb.h"

namespace vettore {

// What is absent has its default: metric cosine, index HNSW. InvalidArgument for an unknown enum
// value and past the counts of types/limits.h; ranges are ValidateCollectionConfig's to check.
absl::StatusOr<CollectionConfig> CollectionConfigFromProto(const v1::CollectionConfig& config);

void CollectionInfoToProto(const CollectionStatus& status, v1::CollectionInfo& out);

}  // namespace vettore
