#include "types/collection_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "base/strings.h"
#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

CollectionConfig Rich() {
  CollectionConfig config;
  config.vectors = {{"", 384, Metric::kCosine, HnswConfig{}, VectorModel{"minilm", "00ff", "text"}},
                    {"image", 512, Metric::kL2, FlatConfig{}, std::nullopt},
                    {"title", 65'536, Metric::kInnerProduct, HnswConfig{4, 4, 1}, std::nullopt}};
  config.payload_indexes = {{"author.name", PayloadIndexKind::kKeyword},
                            {"year", PayloadIndexKind::kInteger},
                            {"price", PayloadIndexKind::kFloat},
                            {"sold", PayloadIndexKind::kBool}};
  config.documents = ChunkingConfig{256, 32};
  return config;
}

// The error after `change`, empty when there is none.
std::string Fault(const std::function<void(CollectionConfig&)>& change) {
  CollectionConfig config = Rich();
  change(config);
  const absl::Status status = ValidateCollectionConfig(config);
  if (!status.ok()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
  return std::string(status.message());
}

TEST(CollectionConfig, RichAndEmptyAreValid) {
  EXPECT_EQ(Fault([](CollectionConfig&) {}), "");
  EXPECT_TRUE(ValidateCollectionConfig(CollectionConfig()).ok());
}

TEST(CollectionConfig, DimensionIs1To65536) {
  EXPECT_EQ(Fault([](CollectionConfig& c) { c.vectors[1].dimension = 0; }),
            "vector 'image': dimension: wanted 1 to 65536, got 0");
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[1].dimension = 65'537; }),
              HasSubstr("got 65537"));
}

TEST(CollectionConfig, IvfParametersHaveTheirRanges) {
  // Of a vector of 384 dimensions.
  const auto with = [](IvfConfig ivf) {
    return Fault([ivf](CollectionConfig& c) { c.vectors[0].index = ivf; });
  };
  EXPECT_EQ(with({}), "");
  EXPECT_EQ(with({65'536, 65'536, IvfEncoding::kPq4, 384}), "");
  EXPECT_EQ(with({0, 65'536, IvfEncoding::kPq8, 48}), "");
  EXPECT_EQ(with({65'537}), "vector '': ivf.nlist: wanted 0 to 65536, got 65537");
  EXPECT_EQ(with({100, 101}), "vector '': ivf.nprobe: wanted 0 to 100, got 101");
  EXPECT_EQ(with({0, 65'537}), "vector '': ivf.nprobe: wanted 0 to 65536, got 65537");
  EXPECT_EQ(
      with({0, 0, IvfEncoding::kPq4, 100}),
      "vector '': ivf.pq_m: wanted 0 or a divisor of the dimension 384 (as 12, 16, 24, 32, 48, "
      "64, 96, 128), got 100");
  EXPECT_THAT(with({0, 0, IvfEncoding::kPq8, 768}), HasSubstr("divisor of the dimension 384"));
  EXPECT_EQ(with({0, 0, IvfEncoding::kFlat, 8}),
            "vector '': ivf.pq_m (of the encoding flat): wanted 0 to 0, got 8");
  EXPECT_EQ(with({0, 0, IvfEncoding::kRaBitQ, 8}),
            "vector '': ivf.pq_m (of the encoding rabitq): wanted 0 to 0, got 8");
  EXPECT_EQ(with({.encoding = IvfEncoding::kPq8, .opq = true}), "");
  EXPECT_EQ(Fault([](CollectionConfig& c) {
              c.vectors[0].dimension = 2'049;
              c.vectors[0].index = IvfConfig{.encoding = IvfEncoding::kPq4, .opq = true};
            }),
            "vector '': ivf.opq: the dimension: wanted 1 to 2048, got 2049");
  EXPECT_EQ(
      with({.encoding = IvfEncoding::kRaBitQ, .opq = true}),
      "vector '': ivf.opq: wanted false (it goes with the encodings pq4 and pq8), got true with "
      "rabitq");
}

TEST(CollectionConfig, IvfComesBackFromItsStoredForm) {
  for (const IvfEncoding encoding :
       {IvfEncoding::kFlat, IvfEncoding::kPq4, IvfEncoding::kPq8, IvfEncoding::kRaBitQ}) {
    CollectionConfig config;
    config.vectors = {{"", 384, Metric::kL2, IvfConfig{500, 20, encoding, 0}, std::nullopt}};
    const auto back = CollectionConfigFromJson(ToJson(config));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, config);
    EXPECT_EQ(*ParseIvfEncoding(NameOf(encoding)), encoding);
  }
  CollectionConfig rotated;
  rotated.vectors = {
      {"", 384, Metric::kL2, IvfConfig{.encoding = IvfEncoding::kPq4, .opq = true}, std::nullopt}};
  EXPECT_EQ(*CollectionConfigFromJson(ToJson(rotated)), rotated);
  EXPECT_EQ(ParseIvfEncoding("pq5").status().message(),
            "ivf encoding: wanted flat, pq4, pq8 or rabitq, got 'pq5'");
  CollectionConfig config;
  config.vectors = {{"", 384, Metric::kL2, IvfConfig{}, std::nullopt}};
  Json json = ToJson(config);
  json["vectors"][0]["index"]["encoding"] = "pq5";
  EXPECT_EQ(CollectionConfigFromJson(json).status().code(), absl::StatusCode::kDataLoss);
}

TEST(CollectionConfig, HnswParametersHaveTheirRanges) {
  const auto with = [](HnswConfig hnsw) {
    return Fault([hnsw](CollectionConfig& c) { c.vectors[0].index = hnsw; });
  };
  EXPECT_EQ(with({4, 4, 1}), "");
  EXPECT_EQ(with({128, 4'096, 4'096}), "");
  EXPECT_EQ(with({3, 200, 128}), "vector '': hnsw.m: wanted 4 to 128, got 3");
  EXPECT_THAT(with({129, 200, 128}), HasSubstr("hnsw.m"));
  EXPECT_THAT(with({16, 15, 128}), HasSubstr("hnsw.ef_construction: wanted 16 to 4096, got 15"));
  EXPECT_THAT(with({16, 4'097, 128}), HasSubstr("hnsw.ef_construction"));
  EXPECT_THAT(with({16, 200, 0}), HasSubstr("hnsw.ef_search: wanted 1 to 4096, got 0"));
  EXPECT_THAT(with({16, 200, 4'097}), HasSubstr("hnsw.ef_search"));
}

TEST(CollectionConfig, VectorNamesAreValidAndDistinct) {
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[1].name = "a/b"; }),
              HasSubstr("vector 'a/b': name: a name consists of"));
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[1].name = std::string(65, 'n'); }),
              HasSubstr("1 to 64 bytes, got 65"));
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[2].name = "image"; }),
              HasSubstr("vector 'image': two vectors have this name"));
}

TEST(CollectionConfig, AtMost16VectorsAnd64Indexes) {
  const auto with_vectors = [](size_t count) {
    return Fault([count](CollectionConfig& c) {
      while (c.vectors.size() < count) {
        VectorConfig vector = c.vectors[1];
        vector.name = StrCat("v", c.vectors.size());
        c.vectors.push_back(vector);
      }
    });
  };
  EXPECT_EQ(with_vectors(16), "");
  EXPECT_EQ(with_vectors(17), "vectors: at most 16, got 17");
  const auto with_indexes = [](size_t count) {
    return Fault([count](CollectionConfig& c) {
      while (c.payload_indexes.size() < count) {
        c.payload_indexes.push_back(
            {StrCat("f", c.payload_indexes.size()), PayloadIndexKind::kBool});
      }
    });
  };
  EXPECT_EQ(with_indexes(64), "");
  EXPECT_THAT(with_indexes(65), HasSubstr("payload_indexes: at most 64, got 65"));
}

TEST(CollectionConfig, AModelHasANameAndATextField) {
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[0].model->name = "../x"; }),
              HasSubstr("vector '': model.name: "));
  for (const std::string& field : {std::string(), std::string(257, 'f')}) {
    EXPECT_THAT(Fault([&](CollectionConfig& c) { c.vectors[0].model->text_field = field; }),
                HasSubstr("model.text_field: a field's path has 1 to 256 bytes"));
  }
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[0].model->text_field = "\xFF"; }),
              HasSubstr("'\\xff' is not UTF-8"));
}

TEST(CollectionConfig, IndexedFieldsAreDistinctPaths) {
  EXPECT_NE(Fault([](CollectionConfig& c) { c.payload_indexes[0].field = ""; }), "");
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.payload_indexes[0].field = "year"; }),
              HasSubstr("field 'year' is indexed twice"));
}

TEST(CollectionConfig, DocumentsNeedADefaultVectorWithAModel) {
  EXPECT_THAT(Fault([](CollectionConfig& c) { c.vectors[0].model.reset(); }),
              HasSubstr("documents: a collection of documents needs a default vector"));
  EXPECT_NE(Fault([](CollectionConfig& c) { c.vectors.erase(c.vectors.begin()); }), "");
  EXPECT_EQ(Fault([](CollectionConfig& c) {
              c.vectors.clear();
              c.documents.reset();
            }),
            "");
}

TEST(CollectionConfig, OverlapIsLessThanHalfOfTheChunk) {
  const auto with = [](ChunkingConfig chunking) {
    return Fault([chunking](CollectionConfig& c) { c.documents = chunking; });
  };
  EXPECT_EQ(with({16, 7}), "");
  EXPECT_THAT(with({16, 8}), HasSubstr("documents.overlap_tokens"));
  EXPECT_EQ(with({17, 8}), "");
  EXPECT_THAT(with({17, 9}), HasSubstr("wanted 0 to 8, got 9"));
  EXPECT_EQ(with({65'536, 0}), "");
  EXPECT_THAT(with({15, 0}), HasSubstr("documents.max_tokens"));
  EXPECT_THAT(with({65'537, 0}), HasSubstr("wanted 16 to 65536, got 65537"));
  EXPECT_EQ(with({0, 32}), "");
  EXPECT_NE(with({0, 65'536}), "");
}

TEST(CollectionConfig, FindVectorFindsByNameOnly) {
  const CollectionConfig config = Rich();
  EXPECT_EQ(config.FindVector("image"), &config.vectors[1]);
  EXPECT_EQ(config.FindVector(""), &config.vectors[0]);
  EXPECT_EQ(config.FindVector("absent"), nullptr);
}

TEST(CollectionConfig, KindNamesComeBack) {
  for (const PayloadIndexKind kind : {PayloadIndexKind::kKeyword, PayloadIndexKind::kInteger,
                                      PayloadIndexKind::kFloat, PayloadIndexKind::kBool}) {
    EXPECT_EQ(ParsePayloadIndexKind(NameOf(kind)).value(), kind);
  }
  EXPECT_EQ(ParsePayloadIndexKind("geo").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CollectionConfigJson, ComesBackEqual) {
  for (const CollectionConfig& config : {Rich(), CollectionConfig()}) {
    EXPECT_EQ(CollectionConfigFromJson(ToJson(config)).value(), config);
    EXPECT_EQ(CollectionConfigFromJson(DecodeCbor(EncodeCbor(ToJson(config))).value()).value(),
              config);
  }
}

// The stored form must never change.
TEST(CollectionConfigJson, GoldenText) {
  CollectionConfig config = Rich();
  config.vectors.resize(2);
  config.payload_indexes.resize(1);
  EXPECT_EQ(
      ToJson(config).dump(),
      R"({"documents":{"max_tokens":256,"overlap_tokens":32},)"
      R"("payload_indexes":[{"field":"author.name","kind":"keyword"}],)"
      R"("vectors":[{"dimension":384,"index":{"ef_construction":128,"ef_search":128,"kind":"hnsw",)"
      R"("m":16},"metric":"cosine","model":{"fingerprint":"00ff","name":"minilm",)"
      R"("text_field":"text"},"name":""},)"
      R"({"dimension":512,"index":{"kind":"flat"},"metric":"l2","model":null,"name":"image"}]})");
}

TEST(CollectionConfigJson, QuantizationComesBackAndIsAbsentWhenItIsAuto) {
  for (const Quantization quantization :
       {Quantization::kAuto, Quantization::kNone, Quantization::kSq8, Quantization::kSq4,
        Quantization::kRaBitQ}) {
    CollectionConfig config = Rich();
    config.vectors[0].index = HnswConfig{.quantization = quantization};
    const Json json = ToJson(config);
    EXPECT_EQ(json["vectors"][0]["index"].contains("quantization"),
              quantization != Quantization::kAuto);
    EXPECT_EQ(CollectionConfigFromJson(json).value(), config);
  }
  CollectionConfig config = Rich();
  config.vectors[0].index = HnswConfig{.quantization = Quantization::kSq8};
  Json json = ToJson(config);
  json["vectors"][0]["index"]["quantization"] = "sq9";
  EXPECT_EQ(CollectionConfigFromJson(json).status().code(), absl::StatusCode::kDataLoss);
}

// Visits `json` and every object and array within it.
void ForEachContainer(Json& json, const std::function<void(Json&)>& visit) {
  if (!json.is_structured()) return;
  visit(json);
  for (Json& element : json) ForEachContainer(element, visit);
}

TEST(CollectionConfigJson, EveryMissingAndEveryUnknownKeyIsDataLoss) {
  Json json = ToJson(Rich());
  int objects = 0;
  ForEachContainer(json, [&](Json& container) {
    if (!container.is_object()) return;
    ++objects;
    const Json whole = container;
    container["surprise"] = 1;
    EXPECT_EQ(CollectionConfigFromJson(json).status().code(), absl::StatusCode::kDataLoss);
    for (const auto& member : whole.items()) {
      container = whole;
      container.erase(member.key());
      const absl::Status status = CollectionConfigFromJson(json).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << member.key();
    }
    container = whole;
  });
  EXPECT_EQ(objects,
            13);  // The config, 3 vectors, 3 indexes, a model, 4 payload indexes, documents.
}

TEST(CollectionConfigJson, EveryValueOfAnotherKindIsDataLoss) {
  Json json = ToJson(Rich());
  ForEachContainer(json, [&](Json& container) {
    if (!container.is_object()) return;
    const Json whole = container;
    for (const auto& member : whole.items()) {
      for (const Json& wrong : {Json(-1), Json(1.5), Json(uint64_t{1} << 32), Json(true),
                                Json::array({7}), Json{{"x", 1}}, Json("none such")}) {
        if (member.value().is_string() && wrong.is_string()) continue;  // A name may be anything.
        container[member.key()] = wrong;
        EXPECT_EQ(CollectionConfigFromJson(json).status().code(), absl::StatusCode::kDataLoss)
            << member.key() << " = " << wrong;
        container = whole;
      }
    }
  });
  json["vectors"][0]["metric"] = "euclid";
  EXPECT_EQ(CollectionConfigFromJson(json).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CollectionConfigFromJson(Json::array()).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vettore
