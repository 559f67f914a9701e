// How a command line describes a collection to be made, and the making of one that is missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "cli/connection.h"

namespace vettore {

// Options of `collection create`, `ingest` and `import`; what is absent has the server's default.
struct CollectionOptions {
  std::string metric = "cosine";
  std::string index = "hnsw";
  std::optional<uint32_t> m;
  std::optional<uint32_t> ef_construction;
  std::optional<uint32_t> ef_search;
  std::optional<std::string> quantization;
  std::optional<uint32_t> nlist;
  std::optional<uint32_t> nprobe;
  std::optional<std::string> encoding;
  std::optional<uint32_t> pq_m;
  bool opq = false;
  std::optional<std::string> factory;
  std::optional<std::string> search_parameters;
  std::optional<uint32_t> rerank;
  std::string model;
  std::optional<uint32_t> chunk_tokens;
  std::optional<uint32_t> overlap_tokens;
  std::vector<std::string> payload_indexes;  // "field:kind"

  // Options of the vector index; of the chunks; the payload indexes.
  void AddIndexOptions(CLI::App& command);
  void AddModelOption(CLI::App& command);
  void AddChunkOptions(CLI::App& command);

  // Metric and index of `vector`. Usage errors name the option.
  absl::Status Describe(v1::VectorConfig& vector) const;
  absl::Status DescribePayloadIndexes(v1::CollectionConfig& config) const;

 private:
  absl::Status DescribeIvf(v1::IvfConfig& ivf) const;
  absl::Status DescribeFaiss(v1::FaissConfig& faiss) const;
};

// nullopt when there is no collection or alias of that name; DataLoss when it is damaged.
absl::StatusOr<std::optional<v1::CollectionInfo>> FindCollection(const Connection& connection,
                                                                 const std::string& name);

// The config of a collection that takes documents. Without a model named, the server's only one;
// FailedPrecondition when it has none or several.
absl::StatusOr<v1::CollectionConfig> DocumentCollectionConfig(const Connection& connection,
                                                              const CollectionOptions& options);

// Makes the collection. One that somebody else made in the meantime is as good.
absl::StatusOr<v1::CollectionInfo> CreateIfMissing(const Connection& connection,
                                                   const std::string& name,
                                                   const v1::CollectionConfig& config);

}  // namespace vettore
