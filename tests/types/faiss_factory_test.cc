#include "types/faiss_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "types/collection_config.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

std::string Fault(std::string_view factory, uint32_t dimension = 96) {
  const absl::Status status = ParseFaissFactory(factory, dimension).status();
  if (!status.ok()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
  return std::string(status.message());
}

TEST(FaissFactory, TheUsualStringsAreAdmitted) {
  for (const char* factory : {"Flat",
                              "SQ4",
                              "SQ6",
                              "SQ8",
                              "SQfp16",
                              "PQ12",
                              "PQ12x6",
                              "PQ8x12np",
                              "PQ48x4fs",
                              "LSH",
                              "LSHrt",
                              "HNSW",
                              "HNSW32",
                              "HNSW32,Flat",
                              "HNSW32_SQ8",
                              "HNSW16,PQ24np",
                              "IVF1024,Flat",
                              "IVF4k,SQ8",
                              "IVF65536_HNSW32,PQ48",
                              "IVF256,PQ48x4fsr",
                              "OPQ32,IVF1024,PQ32",
                              "OPQ16_64,IVF1024_HNSW32,PQ16x4fs",
                              "PCA64,Flat",
                              "PCAR64,L2norm,IVF100,SQ4",
                              "RR,PQ12x4",
                              "RR64,SQ8",
                              "Pad128,PQ32"}) {
    EXPECT_EQ(Fault(factory), "") << factory;
  }
}

TEST(FaissFactory, WhatItWantsToTrainOnFollowsItsCentroids) {
  const auto parsed = ParseFaissFactory("OPQ32,IVF1024,PQ32", 96);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->most_centroids, 1'024U);
  EXPECT_EQ(parsed->least_sample, 39U * 1'024);
  EXPECT_FALSE(parsed->keeps_vectors);
  EXPECT_EQ(ParseFaissFactory("HNSW16", 96)->least_sample, 0U);
  EXPECT_TRUE(ParseFaissFactory("IVF16,Flat", 96)->keeps_vectors);
  EXPECT_FALSE(ParseFaissFactory("PCA32,Flat", 96)->keeps_vectors);
}

TEST(FaissFactory, SizesOutOfRangeAreRefusedWithTheirRange) {
  EXPECT_THAT(Fault("IVF100000000,Flat"), HasSubstr("wanted 1 to 65536 lists, got 100000000"));
  EXPECT_THAT(Fault("IVF65k,Flat"), HasSubstr("wanted 1 to 65536 lists, got 66560"));
  EXPECT_THAT(Fault("IVF99999999999999999999,Flat"), HasSubstr("lists, got none"));
  EXPECT_THAT(Fault("IVF0,Flat"), HasSubstr("lists, got 0"));
  EXPECT_THAT(Fault("HNSW1000000"), HasSubstr("wanted 4 to 128 neighbours, got 1000000"));
  EXPECT_THAT(Fault("PQ7"), HasSubstr("a divisor of the dimension 96, at most 96, got 7"));
  EXPECT_THAT(Fault("PCA64,PQ48"), HasSubstr("a divisor of the dimension 64"));
  EXPECT_THAT(Fault("PQ12x24"), HasSubstr("codes of 1 to 12 bits, got 24"));
  EXPECT_THAT(Fault("IVF64,PQ12x9"), HasSubstr("codes of 1 to 8 bits, got 9"));
  EXPECT_THAT(Fault("PCA97,Flat"), HasSubstr("1 to 96 dimensions, got 97"));
  EXPECT_THAT(Fault("Pad95,Flat"), HasSubstr("96 to 65536 dimensions, got 95"));
  EXPECT_THAT(Fault("RR,Flat", 65'536), HasSubstr("too large"));
  EXPECT_THAT(Fault("PQ8x12", 65'536), HasSubstr("too large"));
}

TEST(FaissFactory, WhatCannotServeIsRefusedWithAReason) {
  EXPECT_THAT(Fault("IVF64,PQ12,RFlat"), HasSubstr("how many says 'rerank'"));
  EXPECT_THAT(Fault("PQ12,Refine(SQ8)"), HasSubstr("how many says 'rerank'"));
  EXPECT_THAT(Fault("IDMap,Flat"), HasSubstr("points have ids of their own"));
  EXPECT_THAT(Fault("BIVF64"), HasSubstr("binary"));
  for (const char* factory : {"",
                              "flat",
                              "Flat,",
                              ",Flat",
                              "IVF64",
                              "IVF64,",
                              "PCA64",
                              "PCA64,",
                              "IMI2x8,PQ12",
                              "RQ4x6",
                              "IVF64,RQ4x6",
                              "IVF64(HNSW8),Flat",
                              "PCAW64,Flat",
                              "ITQ,LSH",
                              "NSG32",
                              "HNSW16,PQ12x4fs",
                              "SQ8 ",
                              "Flat\nFlat",
                              "\xFF",
                              "PQ12x4fs_999999999"}) {
    EXPECT_THAT(Fault(factory), HasSubstr("faiss.factory")) << factory;
  }
  EXPECT_THAT(Fault(std::string(257, 'x')), HasSubstr("at most 256 bytes, got 257"));
}

TEST(FaissFactory, SearchParametersHaveNamesAndRanges) {
  for (const char* good : {"", "nprobe=16", "nprobe=16,quantizer_efSearch=64", "efSearch=4096",
                           "efConstruction=200", "max_codes=100000"}) {
    EXPECT_TRUE(CheckFaissParameters(good).ok()) << good;
  }
  for (const char* bad : {"nprobe", "nprobe=", "nprobe=0", "nprobe=65537", "nprobe=1,", "verbose=1",
                          "ht=4", "nprobe=-1", "nprobe=1.5", "nprobe=99999999999", "nprobe=1 "}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckFaissParameters(bad))) << bad;
  }
}

TEST(FaissFactory, AConfigComesBackFromItsStoredForm) {
  CollectionConfig config;
  config.vectors = {{"", 96, Metric::kL2, FaissConfig{"IVF64,PQ12", "nprobe=4", 20}, std::nullopt}};
  ASSERT_TRUE(ValidateCollectionConfig(config).ok());
  const auto back = CollectionConfigFromJson(ToJson(config));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, config);
  std::get<FaissConfig>(config.vectors[0].index).rerank = 1'001;
  EXPECT_EQ(ValidateCollectionConfig(config).message(),
            "vector '': faiss.rerank: wanted 0 to 1000, got 1001");
}

}  // namespace
}  // namespace vettore
