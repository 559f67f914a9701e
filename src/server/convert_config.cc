#include "server/convert_config.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/convert_enums.h"
#include "server/convert_point.h"
#include "server/field_path.h"
#include "types/limits.h"

namespace vettore {
namespace {

absl::StatusOr<Metric> MetricFromProto(v1::Metric metric, const FieldPath& path) {
  switch (static_cast<int>(metric)) {
    case v1::METRIC_UNSPECIFIED:
    case v1::METRIC_COSINE:
      return Metric::kCosine;
    case v1::METRIC_L2:
      return Metric::kL2;
    case v1::METRIC_INNER_PRODUCT:
      return Metric::kInnerProduct;
    default:
      return path.Invalid(StrCat("unknown metric ", static_cast<int>(metric)));
  }
}

absl::StatusOr<PayloadIndexKind> KindFromProto(v1::PayloadIndexKind kind, const FieldPath& path) {
  switch (static_cast<int>(kind)) {
    case v1::PAYLOAD_INDEX_KIND_KEYWORD:
      return PayloadIndexKind::kKeyword;
    case v1::PAYLOAD_INDEX_KIND_INTEGER:
      return PayloadIndexKind::kInteger;
    case v1::PAYLOAD_INDEX_KIND_FLOAT:
      return PayloadIndexKind::kFloat;
    case v1::PAYLOAD_INDEX_KIND_BOOL:
      return PayloadIndexKind::kBool;
    case v1::PAYLOAD_INDEX_KIND_UNSPECIFIED:
      return path.Invalid("no kind; set keyword, integer, float or bool");
    default:
      return path.Invalid(StrCat("unknown kind ", static_cast<int>(kind)));
  }
}

absl::StatusOr<Quantization> QuantizationFromProto(v1::Quantization quantization,
                                                   const FieldPath& path) {
  switch (static_cast<int>(quantization)) {
    case v1::QUANTIZATION_UNSPECIFIED:
    case v1::QUANTIZATION_AUTO:
      return Quantization::kAuto;
    case v1::QUANTIZATION_NONE:
      return Quantization::kNone;
    case v1::QUANTIZATION_SQ8:
      return Quantization::kSq8;
    case v1::QUANTIZATION_SQ4:
      return Quantization::kSq4;
    case v1::QUANTIZATION_RABITQ:
      return Quantization::kRaBitQ;
    default:
      return path.Invalid(StrCat("unknown quantization ", static_cast<int>(quantization)));
  }
}

absl::StatusOr<IvfEncoding> EncodingFromProto(v1::IvfEncoding encoding, const FieldPath& path) {
  switch (static_cast<int>(encoding)) {
    case v1::IVF_ENCODING_UNSPECIFIED:
    case v1::IVF_ENCODING_FLAT:
      return IvfEncoding::kFlat;
    case v1::IVF_ENCODING_PQ4:
      return IvfEncoding::kPq4;
    case v1::IVF_ENCODING_PQ8:
      return IvfEncoding::kPq8;
    case v1::IVF_ENCODING_RABITQ:
      return IvfEncoding::kRaBitQ;
    default:
      return path.Invalid(StrCat("unknown encoding ", static_cast<int>(encoding)));
  }
}

absl::StatusOr<IndexConfig> IndexFromProto(const v1::VectorConfig& config, const FieldPath& path) {
  switch (config.index_case()) {
    case v1::VectorConfig::kFlat:
      return FlatConfig{};
    case v1::VectorConfig::kHnsw: {
      HnswConfig hnsw;
      if (config.hnsw().has_m()) hnsw.m = config.hnsw().m();
      if (config.hnsw().has_ef_construction())
        hnsw.ef_construction = config.hnsw().ef_construction();
      if (config.hnsw().has_ef_search()) hnsw.ef_search = config.hnsw().ef_search();
      VETTORE_ASSIGN_OR_RETURN(hnsw.quantization,
                               QuantizationFromProto(config.hnsw().quantization(),
                                                     FieldPath(path, "hnsw.quantization")));
      return hnsw;
    }
    case v1::VectorConfig::kIvf: {
      IvfConfig ivf;
      if (config.ivf().has_nlist()) ivf.nlist = config.ivf().nlist();
      if (config.ivf().has_nprobe()) ivf.nprobe = config.ivf().nprobe();
      if (config.ivf().has_pq_m()) ivf.pq_m = config.ivf().pq_m();
      ivf.opq = config.ivf().opq();
      const FieldPath index_path(path, "ivf");
      VETTORE_ASSIGN_OR_RETURN(ivf.encoding, EncodingFromProto(config.ivf().encoding(),
                                                               FieldPath(index_path, "encoding")));
      return ivf;
    }
    case v1::VectorConfig::kFaiss: {
      FaissConfig faiss;
      faiss.factory = config.faiss().factory();
      faiss.search_parameters = config.faiss().search_parameters();
      if (config.faiss().has_rerank()) faiss.rerank = config.faiss().rerank();
      return faiss;
    }
    case v1::VectorConfig::INDEX_NOT_SET:
      return HnswConfig{};
  }
  return HnswConfig{};
}

void IndexToProto(const FlatConfig&, v1::VectorConfig& out) { out.mutable_flat(); }

void IndexToProto(const HnswConfig& hnsw, v1::VectorConfig& out) {
  out.mutable_hnsw()->set_m(hnsw.m);
  out.mutable_hnsw()->set_ef_construction(hnsw.ef_construction);
  out.mutable_hnsw()->set_ef_search(hnsw.ef_search);
  out.mutable_hnsw()->set_quantization(ToProto(hnsw.quantization));
}

void IndexToProto(const IvfConfig& ivf, v1::VectorConfig& out) {
  out.mutable_ivf()->set_nlist(ivf.nlist);
  out.mutable_ivf()->set_nprobe(ivf.nprobe);
  out.mutable_ivf()->set_encoding(ToProto(ivf.encoding));
  out.mutable_ivf()->set_pq_m(ivf.pq_m);
  out.mutable_ivf()->set_opq(ivf.opq);
}

void IndexToProto(const FaissConfig& faiss, v1::VectorConfig& out) {
  out.mutable_faiss()->set_factory(faiss.factory);
  out.mutable_faiss()->set_search_parameters(faiss.search_parameters);
  out.mutable_faiss()->set_rerank(faiss.rerank);
}

absl::StatusOr<VectorConfig> VectorFromProto(const v1::VectorConfig& config,
                                             const FieldPath& path) {
  VectorConfig out;
  out.name = config.name();
  out.dimension = config.dimension();
  VETTORE_ASSIGN_OR_RETURN(out.metric, MetricFromProto(config.metric(), FieldPath(path, "metric")));
  VETTORE_ASSIGN_OR_RETURN(out.index, IndexFromProto(config, path));
  if (config.has_model()) {
    VectorModel model;
    model.name = config.model().name();
    model.fingerprint = config.model().fingerprint();
    if (!config.model().text_field().empty()) model.text_field = config.model().text_field();
    out.model = std::move(model);
  }
  return out;
}

void VectorToProto(const VectorConfig& config, v1::VectorConfig& out) {
  out.set_name(config.name);
  out.set_dimension(config.dimension);
  out.set_metric(ToProto(config.metric));
  std::visit([&out](const auto& index) { IndexToProto(index, out); }, config.index);
  if (config.model) {
    out.mutable_model()->set_name(config.model->name);
    out.mutable_model()->set_text_field(config.model->text_field);
    out.mutable_model()->set_fingerprint(config.model->fingerprint);
  }
}

absl::Status CheckCount(int count, size_t limit, const FieldPath& path) {
  if (static_cast<size_t>(count) <= limit) return absl::OkStatus();
  return path.Invalid(StrCat("at most ", limit, ", got ", count));
}

}  // namespace

absl::StatusOr<CollectionConfig> CollectionConfigFromProto(const v1::CollectionConfig& config) {
  const FieldPath path("config");
  VETTORE_RETURN_IF_ERROR(
      CheckCount(config.vectors_size(), limits::kVectorsPerCollection, FieldPath(path, "vectors")));
  VETTORE_RETURN_IF_ERROR(CheckCount(config.payload_indexes_size(), limits::kPayloadIndexes,
                                     FieldPath(path, "payload_indexes")));
  CollectionConfig out;
  for (const v1::VectorConfig& vector : config.vectors()) {
    VETTORE_ASSIGN_OR_RETURN(
        VectorConfig converted,
        VectorFromProto(vector, FieldPath(path, "vectors", out.vectors.size())));
    out.vectors.push_back(std::move(converted));
  }
  for (const v1::PayloadIndexConfig& index : config.payload_indexes()) {
    const FieldPath element(path, "payload_indexes", out.payload_indexes.size());
    VETTORE_ASSIGN_OR_RETURN(const PayloadIndexKind kind,
                             KindFromProto(index.kind(), FieldPath(element, "kind")));
    out.payload_indexes.push_back({.field = index.field(), .kind = kind});
  }
  if (config.has_documents()) {
    ChunkingConfig chunking;
    chunking.max_tokens = config.documents().max_tokens();
    if (config.documents().has_overlap_tokens()) {
      chunking.overlap_tokens = config.documents().overlap_tokens();
    } else if (chunking.max_tokens > 0) {
      chunking.overlap_tokens = std::min(chunking.overlap_tokens, (chunking.max_tokens - 1) / 2);
    }
    out.documents = chunking;
  }
  return out;
}

void CollectionInfoToProto(const CollectionStatus& status, v1::CollectionInfo& out) {
  out.set_name(status.name);
  v1::CollectionConfig& config = *out.mutable_config();
  for (const VectorConfig& vector : status.config.vectors)
    VectorToProto(vector, *config.add_vectors());
  for (const PayloadIndexConfig& index : status.config.payload_indexes) {
    v1::PayloadIndexConfig& added = *config.add_payload_indexes();
    added.set_field(index.field);
    added.set_kind(ToProto(index.kind));
  }
  if (status.config.documents) {
    config.mutable_documents()->set_max_tokens(status.config.documents->max_tokens);
    config.mutable_documents()->set_overlap_tokens(status.config.documents->overlap_tokens);
  }
  out.set_points(status.points);
  PositionToProto(status.position, *out.mutable_position());
  for (const VectorStatus& vector : status.vectors) {
    v1::VectorStatus& added = *out.add_vectors();
    added.set_name(vector.name);
    added.set_live(vector.live);
    added.set_unindexed(vector.unindexed);
    added.set_tombstones(vector.tombstones);
    added.set_memory_bytes(vector.memory_bytes);
    added.set_mapped_bytes(vector.mapped_bytes);
    if (vector.quantization) added.set_quantization(ToProto(*vector.quantization));
  }
  out.set_created_unix_ms(status.created_unix_ms);
  for (const std::string& alias : status.aliases) out.add_aliases(alias);
  out.set_error(status.error);
}

}  // namespace vettore
