// What a collection is: its named vectors, their indexes, the models that fill them, and its
// payload indexes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "types/json.h"
#include "types/metric.h"
#include "types/quantization.h"

namespace vettore {

// Exact search over all vectors.
struct FlatConfig {
  friend bool operator==(const FlatConfig&, const FlatConfig&) = default;
};

// Malkov & Yashunin (2018).
struct HnswConfig {
  uint32_t m = 16;  // Neighbours a node on upper layers; twice that on layer 0. 4 to 128.
  uint32_t ef_construction = 128;  // Candidates while inserting. m to 4,096.
  uint32_t ef_search = 128;  // Candidates while searching, unless the search says. 1 to 4,096.
  Quantization quantization = Quantization::kAuto;
  friend bool operator==(const HnswConfig&, const HnswConfig&) = default;
};

// How the lists of an IVF index hold their vectors.
enum class IvfEncoding {
  kFlat,  // As they are: the search is exact within the lists that it probes.
  kPq4,   // Product quantization with 4-bit codes, scanned by shuffles; reranked with the vectors.
  kPq8,   // Product quantization with 8-bit codes, scanned by table; reranked with the vectors.
  kRaBitQ,  // The signs of the rotated residual, scanned by shuffles; reranked with the vectors as
            // far as the bounds of the estimates want it.
};
std::string_view NameOf(IvfEncoding encoding);  // "flat", "pq4", "pq8", "rabitq"
absl::StatusOr<IvfEncoding> ParseIvfEncoding(std::string_view name);

// Inverted lists around the centroids of k-means: Jegou, Douze & Schmid (2011). A set that is too
// small to train on is scanned.
struct IvfConfig {
  uint32_t nlist = 0;   // Lists; 0 grows with the count (about 4 sqrt(n)). 0 to 65,536.
  uint32_t nprobe = 0;  // Lists a search scans, unless it says; 0 follows nlist. 0 to nlist.
  IvfEncoding encoding = IvfEncoding::kFlat;
  // Of the pq encodings: codes a vector, which divide the dimension; 0 follows the dimension. Of
  // the others: 0.
  uint32_t pq_m = 0;
  // Of the pq encodings: vectors are rotated as a quantizer learned it with its codewords (OPQ; Ge
  // et al., 2013), which takes longer to train and to search, and codes more in the same bytes.
  bool opq = false;
  friend bool operator==(const IvfConfig&, const IvfConfig&) = default;
};

// An index of the FAISS library, named by its factory string; see types/faiss_factory.h. It is
// built of the vectors that are there, and anew when a quarter of them is new or gone.
struct FaissConfig {
  std::string factory = "Flat";
  std::string search_parameters = {};  // As "nprobe=16,quantizer_efSearch=64".
  // Candidates that are measured again with the vectors, for each result. 0 to 1,000; 0 is 1 where
  // FAISS holds the vectors themselves, else 10.
  uint32_t rerank = 0;
  friend bool operator==(const FaissConfig&, const FaissConfig&) = default;
};

using IndexConfig = std::variant<FlatConfig, HnswConfig, IvfConfig, FaissConfig>;
std::string_view KindOf(const IndexConfig& config);  // "flat", "hnsw", "ivf", "faiss"

// The embedding model that fills a vector. The fingerprint is taken when the collection is created;
// a model that later has another one is refused.
struct VectorModel {
  std::string name;
  std::string fingerprint;
  // A point without this vector whose payload holds a string here gets the string's embedding.
  std::string text_field = "text";
  friend bool operator==(const VectorModel&, const VectorModel&) = default;
};

struct VectorConfig {
  std::string name;  // "" is the default vector.
  uint32_t dimension = 0;
  Metric metric = Metric::kCosine;
  IndexConfig index = HnswConfig{};
  std::optional<VectorModel> model;
  friend bool operator==(const VectorConfig&, const VectorConfig&) = default;
};

enum class PayloadIndexKind { kKeyword, kInteger, kFloat, kBool };
std::string_view NameOf(PayloadIndexKind kind);  // "keyword", "integer", "float", "bool"
absl::StatusOr<PayloadIndexKind> ParsePayloadIndexKind(std::string_view name);

struct PayloadIndexConfig {
  std::string field;  // A dotted path.
  PayloadIndexKind kind = PayloadIndexKind::kKeyword;
  friend bool operator==(const PayloadIndexConfig&, const PayloadIndexConfig&) = default;
};

// How a document becomes passages; present in collections that take documents.
struct ChunkingConfig {
  uint32_t max_tokens = 0;  // Of a chunk, special tokens included; 0: the model's own limit.
  uint32_t overlap_tokens =
      32;  // Repeated from the chunk before, in whole sentences; less than half of max_tokens.
  friend bool operator==(const ChunkingConfig&, const ChunkingConfig&) = default;
};

struct CollectionConfig {
  std::vector<VectorConfig> vectors;  // 0 to limits::kVectorsPerCollection, names distinct
  std::vector<PayloadIndexConfig> payload_indexes = {};
  std::optional<ChunkingConfig> documents = {};
  friend bool operator==(const CollectionConfig&, const CollectionConfig&) = default;

  // Null when there is no vector of that name.
  const VectorConfig* FindVector(std::string_view name) const;
};

// InvalidArgument with the field, the allowed range and what was got.
absl::Status ValidateCollectionConfig(const CollectionConfig& config);

// The stored form. Decoding is strict: an unknown or missing key is DataLoss.
Json ToJson(const CollectionConfig& config);
absl::StatusOr<CollectionConfig> CollectionConfigFromJson(const Json& json);

}  // namespace vettore
