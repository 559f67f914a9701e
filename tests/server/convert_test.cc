// Strictness of what enters: each fault is refused with the place where it stands.
#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/convert_config.h"
#include "server/convert_filter.h"
#include "server/convert_payload.h"
#include "server/convert_point.h"
#include "types/limits.h"

namespace vettore {
namespace {

using testing::HasSubstr;

std::string Message(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(StdView(status.message()));
}

TEST(ConvertPayload, KeepsIntegersDoublesAndEveryKindApart) {
  v1::Payload payload;
  auto& fields = *payload.mutable_fields();
  fields["null"].set_null(true);
  fields["bool"].set_boolean(false);
  fields["big"].set_integer(std::numeric_limits<int64_t>::max());
  fields["small"].set_integer(std::numeric_limits<int64_t>::min());
  fields["whole"].set_number(1.0);
  fields["text"].set_text("è");
  fields["list"].mutable_list()->add_values()->set_integer(1);
  fields["empty_list"].mutable_list();
  (*fields["object"].mutable_object()->mutable_fields())["x"].set_number(0.5);
  fields["empty_object"].mutable_object();
  const absl::StatusOr<Json> json = PayloadFromProto(payload, FieldPath("p"));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_TRUE((*json)["big"].is_number_integer());
  EXPECT_TRUE((*json)["whole"].is_number_float());
  v1::Payload back;
  PayloadToProto(*json, back);
  EXPECT_EQ(back.DebugString(), payload.DebugString());
}

TEST(ConvertPayload, NamesTheFieldOfWhatIsWrong) {
  v1::Payload payload;
  v1::Value& list = (*payload.mutable_fields())["a"];
  list.mutable_list()->add_values();
  EXPECT_THAT(Message(PayloadFromProto(payload, FieldPath("points", 3)).status()),
              HasSubstr("points[3].a.values[0]: a value without a kind"));
  list.mutable_list()->mutable_values(0)->set_number(std::nan(""));
  EXPECT_THAT(Message(PayloadFromProto(payload, FieldPath("p")).status()), HasSubstr("NaN"));
  list.mutable_list()->mutable_values(0)->set_number(std::numeric_limits<double>::infinity());
  EXPECT_THAT(Message(PayloadFromProto(payload, FieldPath("p")).status()), HasSubstr("infinity"));
  list.mutable_list()->mutable_values(0)->set_null(false);
  EXPECT_THAT(Message(PayloadFromProto(payload, FieldPath("p")).status()),
              HasSubstr("always true"));
}

v1::Payload NestedPayload(int depth) {
  v1::Payload payload;
  v1::Payload* at = &payload;
  for (int i = 1; i < depth; ++i) at = (*at->mutable_fields())["x"].mutable_object();
  return payload;
}

TEST(ConvertPayload, DepthIsBounded) {
  EXPECT_TRUE(PayloadFromProto(NestedPayload(limits::kPayloadDepth), FieldPath("p")).ok());
  EXPECT_THAT(
      Message(PayloadFromProto(NestedPayload(limits::kPayloadDepth + 1), FieldPath("p")).status()),
      HasSubstr("deeper than 32"));
  v1::Payload lists;
  v1::Value* at = &(*lists.mutable_fields())["x"];
  for (int i = 0; i < limits::kPayloadDepth; ++i) at = at->mutable_list()->add_values();
  at->set_integer(1);
  EXPECT_THAT(Message(PayloadFromProto(lists, FieldPath("p")).status()),
              HasSubstr("deeper than 32"));
}

v1::Filter NestedFilter(int depth) {
  v1::Filter filter;
  v1::Filter* at = &filter;
  for (int i = 1; i < depth; ++i) at = at->mutable_negate();
  at->mutable_exists()->set_field("x");
  return filter;
}

TEST(ConvertFilter, DepthIsBounded) {
  EXPECT_TRUE(FilterFromProto(NestedFilter(limits::kFilterDepth), FieldPath("filter")).ok());
  EXPECT_THAT(
      Message(
          FilterFromProto(NestedFilter(limits::kFilterDepth + 1), FieldPath("filter")).status()),
      HasSubstr("filter: nested deeper than 16"));
}

TEST(ConvertFilter, ManyConditionsAreRefusedWhileTheyAreCounted) {
  v1::Filter filter;
  for (int i = 0; i < 100'000; ++i) filter.mutable_any()->add_filters()->mutable_all();
  EXPECT_THAT(Message(FilterFromProto(filter, FieldPath("filter")).status()),
              HasSubstr("at most 256 conditions"));
}

TEST(ConvertFilter, NamesTheNodeThatIsNotSet) {
  v1::Filter filter;
  EXPECT_THAT(Message(FilterFromProto(filter, FieldPath("filter")).status()),
              HasSubstr("without a condition"));
  filter.mutable_all()->add_filters()->mutable_exists()->set_field("x");
  filter.mutable_all()->add_filters()->mutable_one_of()->add_values();
  EXPECT_THAT(Message(FilterFromProto(filter, FieldPath("filter")).status()),
              HasSubstr("filter.all.filters[1].one_of.values[0]: a value without a kind"));
  filter.mutable_all()->mutable_filters(1)->mutable_has_id()->add_ids();
  EXPECT_THAT(Message(FilterFromProto(filter, FieldPath("filter")).status()),
              HasSubstr("filter.all.filters[1].has_id.ids[0]: no id"));
}

TEST(ConvertFilter, ListsOfValuesAndIdsAreBounded) {
  v1::Filter filter;
  for (int i = 0; i <= 10'000; ++i) filter.mutable_one_of()->add_values()->set_integer(i);
  EXPECT_THAT(Message(FilterFromProto(filter, FieldPath("filter")).status()),
              HasSubstr("at most 10000 values"));
  filter.Clear();
  for (int i = 0; i <= 10'000; ++i) filter.mutable_has_id()->add_ids()->set_number(1);
  EXPECT_THAT(Message(FilterFromProto(filter, FieldPath("filter")).status()),
              HasSubstr("at most 10000 ids"));
}

TEST(ConvertPoint, BatchIsCountedBeforeItIsConverted) {
  google::protobuf::RepeatedPtrField<v1::Point> points;
  EXPECT_THAT(Message(PointsFromProto(points).status()),
              HasSubstr("points: a batch has 1 to 10000"));
  for (int i = 0; i < 20'000; ++i) points.Add();  // Without ids, which would be refused else.
  EXPECT_THAT(Message(PointsFromProto(points).status()), HasSubstr("got 20000"));
}

TEST(ConvertPoint, IdIsStrict) {
  google::protobuf::RepeatedPtrField<v1::Point> points;
  points.Add()->mutable_id()->set_number(1);
  points.Add();
  EXPECT_THAT(Message(PointsFromProto(points).status()), HasSubstr("points[1].id: no id"));
  points[1].mutable_id()->set_text("");
  EXPECT_THAT(Message(PointsFromProto(points).status()), HasSubstr("points[1].id: "));
  points[1].mutable_id()->set_text(std::string(300, 'x'));
  EXPECT_THAT(Message(PointsFromProto(points).status()),
              testing::AllOf(HasSubstr("points[1].id: "), HasSubstr("256"), HasSubstr("300")));
}

TEST(ConvertPoint, UnknownEnumValuesAreRefused) {
  v1::WriteOptions write;
  write.set_durability(static_cast<v1::Durability>(9));
  EXPECT_THAT(Message(WriteModeFromProto(write).status()),
              HasSubstr("options.durability: unknown value 9"));
  v1::ReadOptions read;
  read.set_consistency(static_cast<v1::Consistency>(9));
  EXPECT_THAT(Message(ReadOptionsFromProto(read).status()),
              HasSubstr("read.consistency: unknown value 9"));
}

TEST(ConvertPoint, NamesImplyTheirPartAndAllWinsOverNames) {
  v1::Selection selection;
  EXPECT_FALSE(SelectionFromProto(selection, 1 << 20)->payload);
  EXPECT_FALSE(SelectionFromProto(selection, 1 << 20)->vectors);
  selection.add_payload_fields("a");
  selection.add_vector_names("title");
  EXPECT_TRUE(SelectionFromProto(selection, 1 << 20)->payload);
  EXPECT_TRUE(SelectionFromProto(selection, 1 << 20)->vectors);
  EXPECT_THAT(SelectionFromProto(selection, 1 << 20)->vector_names, testing::ElementsAre("title"));
  selection.set_vectors(true);
  EXPECT_THAT(SelectionFromProto(selection, 1 << 20)->vector_names, testing::IsEmpty());
}

TEST(ConvertConfig, AbsentFieldsHaveTheirDefaults) {
  v1::CollectionConfig config;
  config.add_vectors()->set_dimension(3);
  config.mutable_vectors(0)->mutable_model()->set_name("m");
  config.mutable_documents();
  const absl::StatusOr<CollectionConfig> out = CollectionConfigFromProto(config);
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->vectors[0].metric, Metric::kCosine);
  EXPECT_EQ(out->vectors[0].index, IndexConfig(HnswConfig{}));
  EXPECT_EQ(out->vectors[0].model->text_field, "text");
  EXPECT_EQ(*out->documents, ChunkingConfig{});
}

TEST(ConvertConfig, ComesBackAsItWas) {
  v1::CollectionConfig config;
  v1::VectorConfig& flat = *config.add_vectors();
  flat.set_name("a");
  flat.set_dimension(3);
  flat.set_metric(v1::METRIC_INNER_PRODUCT);
  flat.mutable_flat();
  v1::VectorConfig& hnsw = *config.add_vectors();
  hnsw.set_name("b");
  hnsw.set_dimension(4);
  hnsw.set_metric(v1::METRIC_L2);
  hnsw.mutable_hnsw()->set_m(5);
  hnsw.mutable_hnsw()->set_ef_construction(50);
  hnsw.mutable_hnsw()->set_ef_search(51);
  hnsw.mutable_hnsw()->set_quantization(v1::QUANTIZATION_SQ8);
  hnsw.mutable_model()->set_name("m");
  hnsw.mutable_model()->set_text_field("body");
  hnsw.mutable_model()->set_fingerprint("f");
  for (const v1::IvfEncoding encoding : {v1::IVF_ENCODING_FLAT, v1::IVF_ENCODING_PQ4,
                                         v1::IVF_ENCODING_PQ8, v1::IVF_ENCODING_RABITQ}) {
    v1::VectorConfig& ivf = *config.add_vectors();
    ivf.set_name(StrCat("ivf", static_cast<int>(encoding)));
    ivf.set_dimension(6);
    ivf.set_metric(v1::METRIC_COSINE);
    ivf.mutable_ivf()->set_nlist(9);
    ivf.mutable_ivf()->set_nprobe(7);
    ivf.mutable_ivf()->set_encoding(encoding);
    const bool has_pq = encoding == v1::IVF_ENCODING_PQ4 || encoding == v1::IVF_ENCODING_PQ8;
    ivf.mutable_ivf()->set_pq_m(has_pq ? 3 : 0);
    ivf.mutable_ivf()->set_opq(has_pq);
  }
  v1::VectorConfig& faiss = *config.add_vectors();
  faiss.set_name("faiss");
  faiss.set_dimension(6);
  faiss.set_metric(v1::METRIC_L2);
  faiss.mutable_faiss()->set_factory("IVF64,PQ3");
  faiss.mutable_faiss()->set_search_parameters("nprobe=8");
  faiss.mutable_faiss()->set_rerank(7);
  for (const v1::PayloadIndexKind kind :
       {v1::PAYLOAD_INDEX_KIND_KEYWORD, v1::PAYLOAD_INDEX_KIND_INTEGER,
        v1::PAYLOAD_INDEX_KIND_FLOAT, v1::PAYLOAD_INDEX_KIND_BOOL}) {
    config.add_payload_indexes()->set_field("x");
    config.mutable_payload_indexes()->rbegin()->set_kind(kind);
  }
  config.mutable_documents()->set_max_tokens(64);
  config.mutable_documents()->set_overlap_tokens(0);
  CollectionStatus status;
  status.config = *CollectionConfigFromProto(config);
  v1::CollectionInfo info;
  CollectionInfoToProto(status, info);
  EXPECT_EQ(info.config().DebugString(), config.DebugString());
}

TEST(ConvertConfig, AVectorSaysWhatItsIndexPicked) {
  CollectionStatus status;
  status.vectors = {{.name = "a", .quantization = Quantization::kRaBitQ}, {.name = "b"}};
  v1::CollectionInfo info;
  CollectionInfoToProto(status, info);
  EXPECT_EQ(info.vectors(0).quantization(), v1::QUANTIZATION_RABITQ);
  EXPECT_EQ(info.vectors(1).quantization(), v1::QUANTIZATION_UNSPECIFIED);
}

TEST(ConvertConfig, QuantizationIsAutoUnlessItIsSaid) {
  v1::CollectionConfig config;
  v1::VectorConfig& vector = *config.add_vectors();
  vector.set_dimension(3);
  const auto quantization = [&] {
    return std::get<HnswConfig>(CollectionConfigFromProto(config)->vectors[0].index).quantization;
  };
  EXPECT_EQ(quantization(), Quantization::kAuto);
  vector.mutable_hnsw();
  EXPECT_EQ(quantization(), Quantization::kAuto);
  vector.mutable_hnsw()->set_quantization(v1::QUANTIZATION_SQ4);
  EXPECT_EQ(quantization(), Quantization::kSq4);
  vector.mutable_hnsw()->set_quantization(v1::QUANTIZATION_RABITQ);
  EXPECT_EQ(quantization(), Quantization::kRaBitQ);
  vector.mutable_hnsw()->set_quantization(static_cast<v1::Quantization>(77));
  const absl::Status refused = CollectionConfigFromProto(config).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("vectors[0].hnsw.quantization: unknown quantization 77"));
}

TEST(ConvertConfig, AnIvfThatSaysNothingHasItsDefaults) {
  v1::CollectionConfig config;
  config.add_vectors()->mutable_ivf();
  const auto out = CollectionConfigFromProto(config);
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->vectors[0].index, IndexConfig(IvfConfig{}));
  config.mutable_vectors(0)->mutable_ivf()->set_encoding(static_cast<v1::IvfEncoding>(99));
  EXPECT_EQ(CollectionConfigFromProto(config).status().message(),
            "config.vectors[0].ivf.encoding: unknown encoding 99");
}

TEST(ConvertConfig, OverlapThatIsNotGivenFitsTheChunks) {
  v1::CollectionConfig config;
  const auto overlap = [&](uint32_t max_tokens) {
    config.mutable_documents()->set_max_tokens(max_tokens);
    return CollectionConfigFromProto(config)->documents->overlap_tokens;
  };
  EXPECT_EQ(overlap(0), 32U);
  EXPECT_EQ(overlap(128), 32U);
  EXPECT_EQ(overlap(48), 23U);
}

TEST(ConvertConfig, UnknownEnumsAndExcessAreRefused) {
  v1::CollectionConfig config;
  config.add_vectors()->set_metric(static_cast<v1::Metric>(7));
  EXPECT_THAT(Message(CollectionConfigFromProto(config).status()),
              HasSubstr("config.vectors[0].metric: unknown metric 7"));
  config.Clear();
  config.add_payload_indexes()->set_field("x");
  EXPECT_THAT(Message(CollectionConfigFromProto(config).status()),
              HasSubstr("config.payload_indexes[0].kind: no kind"));
  config.Clear();
  for (int i = 0; i < 17; ++i) config.add_vectors();
  EXPECT_THAT(Message(CollectionConfigFromProto(config).status()),
              HasSubstr("config.vectors: at most 16, got 17"));
}

}  // namespace
}  // namespace vettore
