// How collections are shown, above all those that are damaged.
#include "cli/collection_view.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vettore {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::CollectionInfo Healthy() {
  v1::CollectionInfo info;
  info.set_name("notes");
  info.set_points(1'234);
  info.mutable_config()->add_vectors()->set_dimension(4);
  return info;
}

v1::CollectionInfo Damaged() {
  v1::CollectionInfo info = Healthy();
  info.set_points(0);
  info.set_error("slot 99: no point\x1B[31m");
  return info;
}

TEST(CollectionView, HealthyCollectionHasNoError) {
  EXPECT_FALSE(CollectionJson(Healthy()).contains("error"));
  EXPECT_THAT(CollectionTable({Healthy()}), Not(HasSubstr("damaged")));
  EXPECT_THAT(DescribeCollection(Healthy()), HasSubstr("points        1,234\n"));
  EXPECT_EQ(DeletionQuestion(Healthy()), "delete 'notes' with its 1,234 points?");
}

TEST(CollectionView, WhatAGraphPickedIsShown) {
  v1::CollectionInfo info = Healthy();
  v1::VectorStatus& status = *info.add_vectors();
  EXPECT_FALSE(CollectionJson(info)["vectors"][0].contains("quantization"));
  status.set_quantization(v1::QUANTIZATION_RABITQ);
  EXPECT_EQ(CollectionJson(info)["vectors"][0]["quantization"], "rabitq");
  EXPECT_THAT(DescribeCollection(info), HasSubstr(" in memory, quantization rabitq\n"));
}

// A damaged collection was shown as a healthy empty one, and offered for deletion as such.
TEST(CollectionView, DamagedCollectionSaysSoEverywhere) {
  EXPECT_EQ(CollectionJson(Damaged())["error"], Damaged().error());
  EXPECT_EQ(CollectionTable({Healthy(), Damaged()}),
            "NAME   POINTS  KIND     VECTORS        MODEL  ALIASES\n"
            "notes   1,234  points   4 cosine hnsw  -      -\n"
            "notes       ?  damaged  4 cosine hnsw  -      -\n"
            "'notes' cannot be served: slot 99: no point [31m\n");
  EXPECT_THAT(DescribeCollection(Damaged()),
              HasSubstr("damaged       slot 99: no point [31m\npoints        unknown\n"));
  EXPECT_EQ(DeletionQuestion(Damaged()),
            "'notes' cannot be served: slot 99: no point [31m\n"
            "how many points it holds is unknown; delete it?");
}

}  // namespace
}  // namespace vettore
