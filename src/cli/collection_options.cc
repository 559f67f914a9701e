#include "cli/collection_options.h"

#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "server/convert_enums.h"
#include "types/collection_config.h"
#include "types/metric.h"
#include "types/quantization.h"

namespace vettore {
namespace {

absl::StatusOr<std::string> OnlyModel(const Connection& connection) {
  VETTORE_ASSIGN_OR_RETURN(
      const v1::ListModelsResponse models,
      connection.Call(connection.embeddings(), &v1::Embeddings::Stub::ListModels,
                      v1::ListModelsRequest()));
  std::vector<std::string> names;
  std::string broken;
  for (const v1::Model& model : models.models()) {
    if (model.error().empty()) {
      names.push_back(model.name());
    } else {
      StrAppend(&broken, "\n", model.name(), ": ", model.error());
    }
  }
  if (names.size() == 1) return names.front();
  if (names.empty()) {
    return absl::FailedPreconditionError(
        StrCat("the server has no embedding model; put one into its models directory "
               "(vettore serve --models-dir), a folder in Hugging Face's layout",
               broken));
  }
  return absl::FailedPreconditionError(
      StrCat("the server has several embedding models; choose one with --model: ",
             absl::StrJoin(names, ", ")));
}

}  // namespace

void CollectionOptions::AddIndexOptions(CLI::App& command) {
  command.add_option("--metric", metric, "How near vectors are: cosine, l2 or inner_product")
      ->capture_default_str()
      ->type_name("METRIC");
  command
      .add_option("--index", index,
                  "hnsw (a graph: fast, near exact), ivf (lists: small, quick to build), flat "
                  "(exact) or faiss (an index of that library)")
      ->capture_default_str()
      ->type_name("KIND");
  command.add_option("--m", m, "HNSW: neighbours of a node, 4 to 128; default 16");
  command.add_option("--ef-construction", ef_construction,
                     "HNSW: candidates while inserting, up to 4096; default 200");
  command.add_option("--ef-search", ef_search,
                     "HNSW: candidates while searching, 1 to 4096; default 128");
  command.add_option("--nlist", nlist, "IVF: lists, up to 65536; default: follows the count");
  command.add_option("--nprobe", nprobe,
                     "IVF: lists that a search scans, up to nlist; default: follows nlist");
  command
      .add_option("--encoding", encoding,
                  "IVF: flat (the vectors), pq4 or pq8 (product quantization with 4 or 8 bits), or "
                  "rabitq (1 bit a value); the nearest are measured again exactly; default flat")
      ->type_name("ENCODING");
  command.add_option("--pq-m", pq_m,
                     "IVF with pq4 or pq8: codes a vector, a divisor of the dimension; default: "
                     "follows the dimension");
  command.add_flag(
      "--opq", opq,
      "IVF with pq4 or pq8: a rotation that is learned with the codes (OPQ): more recall "
      "from few bytes, slower to train and to search");
  command.add_option("--factory", factory, "FAISS: its factory string, as OPQ32,IVF1024,PQ32")
      ->type_name("STRING");
  command
      .add_option("--search-parameters", search_parameters,
                  "FAISS: as nprobe=16,quantizer_efSearch=64; default: FAISS's own")
      ->type_name("STRING");
  command.add_option("--rerank", rerank,
                     "FAISS: candidates measured again for each result, up to 1000; default: 1 "
                     "where it holds the vectors as they are, else 10");
  command
      .add_option("--quantization", quantization,
                  "HNSW: what a search measures first: auto, sq8 (8 bits a value), sq4 (4 bits), "
                  "rabitq (1 bit) or none; the nearest are measured again exactly; default auto")
      ->type_name("KIND");
  command
      .add_option("--payload-index", payload_indexes,
                  "Makes filters on a field fast: FIELD:KIND with keyword, integer, float or bool; "
                  "repeatable")
      ->type_name("FIELD:KIND");
}

void CollectionOptions::AddModelOption(CLI::App& command) {
  command
      .add_option("--model", model,
                  "The embedding model, by its folder in the server's models directory; default: "
                  "the server's only one")
      ->type_name("NAME");
}

void CollectionOptions::AddChunkOptions(CLI::App& command) {
  command.add_option("--chunk-tokens", chunk_tokens,
                     "Tokens of a passage at most; default: what the model takes");
  command.add_option("--overlap-tokens", overlap_tokens,
                     "Tokens repeated from the passage before; default 32");
}

absl::Status CollectionOptions::Describe(v1::VectorConfig& vector) const {
  const absl::StatusOr<Metric> parsed = ParseMetric(metric);
  if (!parsed.ok()) {
    return UsageError(StrCat("--metric '", metric, "': cosine, l2 or inner_product is wanted"));
  }
  vector.set_metric(ToProto(*parsed));
  if (index != "hnsw" && (m || ef_construction || ef_search || quantization)) {
    return UsageError(
        "--m, --ef-construction, --ef-search and --quantization go with --index hnsw");
  }
  if (index != "ivf" && (nlist || nprobe || encoding || pq_m || opq)) {
    return UsageError("--nlist, --nprobe, --encoding, --pq-m and --opq go with --index ivf");
  }
  if (index != "faiss" && (factory || search_parameters || rerank)) {
    return UsageError("--factory, --search-parameters and --rerank go with --index faiss");
  }
  if (index == "flat") {
    vector.mutable_flat();
    return absl::OkStatus();
  }
  if (index == "ivf") return DescribeIvf(*vector.mutable_ivf());
  if (index == "faiss") return DescribeFaiss(*vector.mutable_faiss());
  if (index != "hnsw") {
    return UsageError(StrCat("--index '", index, "': hnsw, ivf, flat or faiss is wanted"));
  }
  v1::HnswConfig& hnsw = *vector.mutable_hnsw();
  if (m) hnsw.set_m(*m);
  if (ef_construction) hnsw.set_ef_construction(*ef_construction);
  if (ef_search) hnsw.set_ef_search(*ef_search);
  if (quantization) {
    const absl::StatusOr<Quantization> kind = ParseQuantization(*quantization);
    if (!kind.ok()) {
      return UsageError(
          StrCat("--quantization '", *quantization, "': auto, none, sq8, sq4 or rabitq is wanted"));
    }
    hnsw.set_quantization(ToProto(*kind));
  }
  return absl::OkStatus();
}

absl::Status CollectionOptions::DescribeIvf(v1::IvfConfig& ivf) const {
  if (nlist) ivf.set_nlist(*nlist);
  if (nprobe) ivf.set_nprobe(*nprobe);
  if (pq_m) ivf.set_pq_m(*pq_m);
  ivf.set_opq(opq);
  if (!encoding) return absl::OkStatus();
  const absl::StatusOr<IvfEncoding> parsed = ParseIvfEncoding(*encoding);
  if (!parsed.ok()) {
    return UsageError(StrCat("--encoding '", *encoding, "': flat, pq4, pq8 or rabitq is wanted"));
  }
  ivf.set_encoding(ToProto(*parsed));
  return absl::OkStatus();
}

absl::Status CollectionOptions::DescribeFaiss(v1::FaissConfig& faiss) const {
  if (!factory) {
    return UsageError("--index faiss wants --factory, as in --factory OPQ32,IVF1024,PQ32");
  }
  faiss.set_factory(*factory);
  if (search_parameters) faiss.set_search_parameters(*search_parameters);
  if (rerank) faiss.set_rerank(*rerank);
  return absl::OkStatus();
}

absl::Status CollectionOptions::DescribePayloadIndexes(v1::CollectionConfig& config) const {
  for (const std::string& text : payload_indexes) {
    const size_t colon = text.rfind(':');
    const absl::StatusOr<PayloadIndexKind> kind = ParsePayloadIndexKind(
        colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1));
    if (colon == 0 || !kind.ok()) {
      return UsageError(StrCat("--payload-index '", text,
                               "': FIELD:KIND is wanted, with keyword, integer, float or bool, "
                               "such as metadata.year:integer"));
    }
    v1::PayloadIndexConfig& payload_index = *config.add_payload_indexes();
    payload_index.set_field(text.substr(0, colon));
    payload_index.set_kind(ToProto(*kind));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::CollectionInfo>> FindCollection(const Connection& connection,
                                                                 const std::string& name) {
  v1::GetCollectionRequest request;
  request.set_name(name);
  absl::StatusOr<v1::GetCollectionResponse> found =
      connection.Call(connection.collections(), &v1::Collections::Stub::GetCollection, request);
  if (found.ok() && !found->collection().error().empty()) {
    return absl::DataLossError(
        StrCat("collection '", name, "' cannot be served: ", found->collection().error()));
  }
  if (found.ok()) return std::move(*found->mutable_collection());
  if (absl::IsNotFound(found.status())) return std::nullopt;
  return found.status();
}

absl::StatusOr<v1::CollectionConfig> DocumentCollectionConfig(const Connection& connection,
                                                              const CollectionOptions& options) {
  v1::CollectionConfig config;
  v1::VectorConfig& vector = *config.add_vectors();
  VETTORE_RETURN_IF_ERROR(options.Describe(vector));
  VETTORE_RETURN_IF_ERROR(options.DescribePayloadIndexes(config));
  std::string model = options.model;
  if (model.empty()) {
    VETTORE_ASSIGN_OR_RETURN(model, OnlyModel(connection));
  }
  vector.mutable_model()->set_name(model);
  v1::ChunkingConfig& chunking = *config.mutable_documents();
  if (options.chunk_tokens) chunking.set_max_tokens(*options.chunk_tokens);
  if (options.overlap_tokens) chunking.set_overlap_tokens(*options.overlap_tokens);
  return config;
}

absl::StatusOr<v1::CollectionInfo> CreateIfMissing(const Connection& connection,
                                                   const std::string& name,
                                                   const v1::CollectionConfig& config) {
  v1::CreateCollectionRequest request;
  request.set_name(name);
  *request.mutable_config() = config;
  absl::StatusOr<v1::CreateCollectionResponse> created =
      connection.Call(connection.collections(), &v1::Collections::Stub::CreateCollection, request);
  if (created.ok()) return std::move(*created->mutable_collection());
  if (!absl::IsAlreadyExists(created.status())) return created.status();
  VETTORE_ASSIGN_OR_RETURN(std::optional<v1::CollectionInfo> found,
                           FindCollection(connection, name));
  if (!found) return created.status();
  return *std::move(found);
}

}  // namespace vettore
