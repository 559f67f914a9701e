// What every index kind promises, over every kind of the registry and every metric.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <utility>

#include "index/test_data.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

// The default config of each alternative of IndexConfig, so that a new kind is tested without a
// line here; the codings that the default does not pick; and kinds of FAISS that filter, that do
// not, and that transform.
template <size_t... kKinds>
std::vector<IndexConfig> EveryKind(std::index_sequence<kKinds...>) {
  std::vector<IndexConfig> kinds = {IndexConfig(std::in_place_index<kKinds>)...};
  kinds.emplace_back(HnswConfig{.quantization = Quantization::kRaBitQ});
  kinds.emplace_back(IvfConfig{.encoding = IvfEncoding::kPq4});
  kinds.emplace_back(IvfConfig{.encoding = IvfEncoding::kPq8});
  kinds.emplace_back(IvfConfig{.encoding = IvfEncoding::kPq8, .opq = true});
  kinds.emplace_back(IvfConfig{.encoding = IvfEncoding::kRaBitQ});
  for (const char* factory : {"IVF6,PQ12x4", "IVF6,PQ12x4fs", "HNSW8,SQ8", "PCAR20,SQfp16"}) {
    kinds.emplace_back(
        FaissConfig{factory, std::string_view(factory).starts_with("IVF") ? "nprobe=5" : ""});
  }
  return kinds;
}

class VectorIndexContract : public testing::TestWithParam<std::tuple<IndexConfig, Metric>> {
 protected:
  Metric metric() const { return std::get<1>(GetParam()); }
  // Of few dimensions a bit a value says little.
  size_t dim() const { return has_one_bit_codes() ? 256 : 24; }
  // Candidates of codes this coarse are many, for the nearest to be among them.
  uint32_t Ef(uint32_t ef) const { return has_one_bit_codes() ? 16 * ef : ef; }
  std::unique_ptr<VectorIndex> Make() const {
    return MakeIndex(std::get<0>(GetParam()), metric(), dim(), {.folder = folder_.path()});
  }
  VectorSource Source(uint32_t seed) const { return {dim(), metric(), seed}; }

 private:
  bool has_one_bit_codes() const {
    const IndexConfig& config = std::get<0>(GetParam());
    const auto* const hnsw = std::get_if<HnswConfig>(&config);
    const auto* const ivf = std::get_if<IvfConfig>(&config);
    return (hnsw != nullptr && hnsw->quantization == Quantization::kRaBitQ) ||
           (ivf != nullptr && ivf->encoding == IvfEncoding::kRaBitQ);
  }

  const TemporaryDirectory folder_;
};

TEST_P(VectorIndexContract, AnEmptyIndexFindsNothing) {
  const auto index = Make();
  EXPECT_TRUE(MustSearch(*index, Source(1).Next(), Nearest(10)).empty());
  EXPECT_EQ(index->Stats().live, 0U);
  WaitUntilIndexed(*index);
}

TEST_P(VectorIndexContract, WhatWasPutIsFoundAtOnce) {
  const auto index = Make();
  std::map<Slot, Vector> points;
  VectorSource source = Source(2);
  for (Slot slot = 0; slot < 300; ++slot) {
    points[slot] = source.Next();
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
    const auto found = MustSearch(*index, points[slot], NearestInGraph(1, Ef(1)));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(found[0].distance, TrueNearest(metric(), points, points[slot], 1)[0], 1e-3);
  }
}

TEST_P(VectorIndexContract, AnExactSearchFindsTheNearestInOrder) {
  const auto index = Make();
  const auto points = PutAll(*index, Source(3).Take(700));
  WaitUntilIndexed(*index);
  for (const Vector& query : Source(4).Take(20)) {
    const auto found = MustSearch(*index, query, NearestExactly(25));
    const auto truth = TrueNearest(metric(), points, query, 25);
    ASSERT_EQ(found.size(), truth.size());
    ExpectTrueNeighbors(found, metric(), points, query);
    for (size_t i = 0; i < truth.size(); ++i) EXPECT_NEAR(found[i].distance, truth[i], 1e-3);
  }
}

TEST_P(VectorIndexContract, MoreThanThereIsGivesAllThereIs) {
  const auto index = Make();
  const auto points = PutAll(*index, Source(5).Take(50));
  const Vector query = Source(6).Next();
  EXPECT_EQ(MustSearch(*index, query, Nearest(10'000)).size(), 50U);
  WaitUntilIndexed(*index);
  const auto found = MustSearch(*index, query, NearestInGraph(10'000, 1));
  EXPECT_EQ(found.size(), 50U);
  ExpectTrueNeighbors(found, metric(), points, query);
}

TEST_P(VectorIndexContract, NothingWantedGivesNothing) {
  const auto index = Make();
  PutAll(*index, Source(7).Take(5));
  EXPECT_TRUE(MustSearch(*index, Source(8).Next(), Nearest(0)).empty());
}

TEST_P(VectorIndexContract, ARemovedSlotIsNeverReturned) {
  const auto index = Make();
  auto points = PutAll(*index, Source(9).Take(900));
  WaitUntilIndexed(*index);
  for (Slot slot = 0; slot < 900; slot += 3) {
    index->Remove(slot);
    points.erase(slot);
  }
  for (const Vector& query : Source(9).Take(60)) {  // The very vectors that were put first.
    const auto found = MustSearch(*index, query, NearestInGraph(10, 12));
    EXPECT_EQ(found.size(), 10U);
    ExpectTrueNeighbors(found, metric(), points, query);
  }
  EXPECT_EQ(index->Stats().live, points.size());
}

TEST_P(VectorIndexContract, RemovingAnEmptySlotDoesNothing) {
  const auto index = Make();
  PutAll(*index, Source(10).Take(3));
  index->Remove(3);
  index->Remove(4'000'000);
  index->Remove(1);
  index->Remove(1);
  EXPECT_EQ(index->Stats().live, 2U);
}

TEST_P(VectorIndexContract, AReplacedSlotHasItsNewVectorOnly) {
  const auto index = Make();
  auto points = PutAll(*index, Source(11).Take(600));
  WaitUntilIndexed(*index);
  const std::vector<Vector> renewed = Source(12).Take(600);
  for (Slot slot = 0; slot < 600; slot += 2) {
    points[slot] = renewed[slot];
    ASSERT_TRUE(index->Put(slot, renewed[slot]).ok());
  }
  for (const bool is_linked : {false, true}) {
    if (is_linked) WaitUntilIndexed(*index);
    for (const Vector& query : Source(11).Take(40)) {
      const auto found = MustSearch(*index, query, NearestInGraph(10, 12));
      EXPECT_EQ(found.size(), 10U);
      ExpectTrueNeighbors(found, metric(), points, query);
    }
  }
  EXPECT_EQ(index->Stats().live, 600U);
}

TEST_P(VectorIndexContract, ASlotIsReusedAtOnce) {
  const auto index = Make();
  PutAll(*index, Source(13).Take(400));
  WaitUntilIndexed(*index);
  const Vector renewed = Source(14).Next();
  index->Remove(7);
  ASSERT_TRUE(index->Put(7, renewed).ok());
  const auto found = MustSearch(*index, renewed, NearestInGraph(400, 400));
  ASSERT_EQ(found.size(), 400U);
  const auto at = std::find_if(found.begin(), found.end(),
                               [](const Neighbor& neighbor) { return neighbor.slot == 7; });
  ASSERT_NE(at, found.end());
  EXPECT_NEAR(at->distance, TrueDistance(metric(), renewed, renewed), 1e-3);
}

TEST_P(VectorIndexContract, AFilterGivesAsManyAsItAdmits) {
  const auto index = Make();
  auto points = PutAll(*index, Source(15).Take(3000));
  WaitUntilIndexed(*index);
  for (Slot slot = 0; slot < 100; ++slot) {  // Allowed or not, these hold nothing.
    index->Remove(slot);
    points.erase(slot);
  }
  for (const size_t every : {1, 2, 5, 50, 400, 5000}) {
    SlotBitmap allowed(3000);
    std::map<Slot, Vector> admitted;
    for (Slot slot = 99; slot < 3000; slot += static_cast<Slot>(every)) {
      allowed.Insert(slot);
      if (points.contains(slot)) admitted[slot] = points[slot];
    }
    for (const Vector& query : Source(16).Take(10)) {
      IndexSearchOptions options = NearestInGraph(20, 20);
      options.allowed = &allowed;
      options.allowed_count = allowed.Count();
      const auto found = MustSearch(*index, query, options);
      EXPECT_EQ(found.size(), std::min<size_t>(20, admitted.size())) << "every " << every;
      ExpectTrueNeighbors(found, metric(), admitted, query);
    }
  }
}

TEST_P(VectorIndexContract, AFilterAppliesToWhatWasJustPut) {
  const auto index = Make();
  SlotBitmap allowed(500);
  VectorSource source = Source(17);
  std::map<Slot, Vector> admitted;
  for (Slot slot = 0; slot < 500; ++slot) {
    const Vector vector = source.Next();
    ASSERT_TRUE(index->Put(slot, vector).ok());
    if (slot % 7 != 0) continue;
    allowed.Insert(slot);
    admitted[slot] = vector;
    IndexSearchOptions options = NearestInGraph(1000, 1);
    options.allowed = &allowed;  // Without a count: the index counts itself.
    const auto found = MustSearch(*index, vector, options);
    EXPECT_EQ(found.size(), admitted.size());
    ExpectTrueNeighbors(found, metric(), admitted, vector);
  }
}

TEST_P(VectorIndexContract, AnAllowedSlotPastTheEndHoldsNothing) {
  const auto index = Make();
  PutAll(*index, Source(18).Take(10));
  SlotBitmap allowed;
  allowed.Insert(9);
  allowed.Insert(30'000'000);
  IndexSearchOptions options = Nearest(5);
  options.allowed = &allowed;
  EXPECT_EQ(MustSearch(*index, Source(19).Next(), options).size(), 1U);
}

TEST_P(VectorIndexContract, EqualVectorsAreAllFoundInTheOrderOfTheirSlots) {
  const auto index = Make();
  const Vector equal = Source(20).Next();
  for (Slot slot = 0; slot < 40; ++slot) ASSERT_TRUE(index->Put(39 - slot, equal).ok());
  const auto found = MustSearch(*index, equal, NearestExactly(12));
  ASSERT_EQ(found.size(), 12U);
  for (Slot slot = 0; slot < 12; ++slot) EXPECT_EQ(found[slot].slot, slot);
}

TEST_P(VectorIndexContract, ACrowdOfEqualsDoesNotHideTheOthers) {
  const auto index = Make();
  auto points = PutAll(*index, std::vector<Vector>(1500, Source(21).Next()));
  VectorSource source = Source(22);
  for (Slot slot = 1500; slot < 3000; ++slot) {
    points[slot] = source.Next();
    ASSERT_TRUE(index->Put(slot, points[slot]).ok());
  }
  WaitUntilIndexed(*index);
  double recall = 0;
  for (Slot slot = 1500; slot < 1600; ++slot) {
    const auto found = MustSearch(*index, points[slot], NearestInGraph(5, Ef(64)));
    recall += Recall(found, TrueNearest(metric(), points, points[slot], 5)) / 100;
  }
  const bool is_faiss = std::holds_alternative<FaissConfig>(std::get<IndexConfig>(GetParam()));
  EXPECT_GE(recall, is_faiss ? 0.5 : 0.9);  // The library's own graph now and then breaks there.
  EXPECT_EQ(MustSearch(*index, points[0], NearestInGraph(100, 100)).size(), 100U);
}

TEST_P(VectorIndexContract, AnotherDimensionIsRefusedWithBothNumbers) {
  const auto index = Make();
  const absl::Status put = index->Put(0, Vector(dim() + 1, 0.5F));
  EXPECT_EQ(put.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(put.message()), "vector: dimension " + std::to_string(dim() + 1) +
                                            ", index expects " + std::to_string(dim()));
  EXPECT_EQ(index->Search(Vector(3), Nearest(1), CancelToken(), nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(index->Stats().live, 0U);
}

TEST_P(VectorIndexContract, APassedDeadlineStopsEverySearch) {
  const auto index = Make();
  PutAll(*index, Source(23).Take(600));
  WaitUntilIndexed(*index);
  const CancelToken late(absl::Now() - absl::Seconds(1), nullptr);
  for (const IndexSearchOptions& options : {NearestExactly(5), NearestInGraph(5, 8)}) {
    EXPECT_EQ(index->Search(Source(24).Next(), options, late, nullptr).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  }
}

TEST_P(VectorIndexContract, ACallerWhoLeavesDuringAScanStopsIt) {
  const auto index = Make();
  PutAll(*index, Source(25).Take(9000));
  int polls = 0;
  const CancelToken leaves(absl::InfiniteFuture(), [&polls] { return ++polls > 2; });
  EXPECT_EQ(index->Search(Source(26).Next(), NearestExactly(5), leaves, nullptr).status().code(),
            absl::StatusCode::kCancelled);
}

TEST_P(VectorIndexContract, TheStatsCountWhatIsLive) {
  const auto index = Make();
  PutAll(*index, Source(27).Take(300));
  index->Remove(5);
  ASSERT_TRUE(index->Put(6, Source(28).Next()).ok());
  WaitUntilIndexed(*index);
  const IndexStats stats = index->Stats();
  EXPECT_EQ(stats.live, 299U);
  EXPECT_EQ(stats.unindexed, 0U);
  EXPECT_EQ(stats.tombstones, 2U);
  EXPECT_GE(stats.memory_bytes + stats.mapped_bytes, 299 * dim() * sizeof(float));
}

TEST_P(VectorIndexContract, OverflowingDistancesKeepTheOrderTotal) {
  const auto index = Make();
  std::mt19937 random(29);
  for (Slot slot = 0; slot < 600; ++slot) {
    Vector huge(dim());
    for (float& entry : huge) entry = random() % 2 == 0 ? 3e38F : -3e38F;
    ASSERT_TRUE(index->Put(slot, huge).ok());
  }
  WaitUntilIndexed(*index);
  Vector query(dim(), 3e38F);
  for (size_t i = 0; i < dim(); i += 2) query[i] = -3e38F;
  EXPECT_EQ(MustSearch(*index, query, NearestInGraph(20, 20)).size(), 20U);
  EXPECT_EQ(MustSearch(*index, query, NearestExactly(20)).size(), 20U);
}

// Filled as a served index is: linked rows, removed and replaced ones, and rows that wait.
void FillUnevenly(VectorIndex& index, VectorSource source) {
  PutAll(index, source.Take(3000));
  WaitUntilIndexed(index);
  for (Slot slot = 0; slot < 3000; slot += 11) index.Remove(slot);
  for (Slot slot = 1; slot < 3000; slot += 17) {
    ASSERT_TRUE(index.Put(slot, source.Next()).ok());
  }
}

TEST_P(VectorIndexContract, ABatchFindsWhatItsQueriesFindAlone) {
  const auto index = Make();
  FillUnevenly(*index, Source(30));
  WaitUntilIndexed(*index);  // What is found depends on what the graph has taken.
  SlotBitmap half(3000);
  SlotBitmap few(3000);
  for (Slot slot = 0; slot < 3000; slot += 2) half.Insert(slot);
  for (Slot slot = 0; slot < 3000; slot += 97) few.Insert(slot);
  const std::vector<Vector> vectors = Source(31).Take(23);
  const std::vector<std::span<const float>> queries(vectors.begin(), vectors.end());
  for (const SlotBitmap* allowed : std::vector<const SlotBitmap*>{nullptr, &half, &few}) {
    for (IndexSearchOptions options :
         {NearestInGraph(10, 24), NearestInGraph(1, 1), NearestInGraph(60, 200), NearestExactly(10),
          Nearest(5000), Nearest(0)}) {
      options.allowed = allowed;
      for (const size_t count : {0, 1, 2, 7, 23}) {
        std::vector<IndexSearchTrace> traces(count);
        const auto together =
            index->SearchBatch(std::span(queries).first(count), options, CancelToken(), traces);
        ASSERT_TRUE(together.ok()) << together.status();
        ASSERT_EQ(together->size(), count);
        for (size_t i = 0; i < count; ++i) {
          IndexSearchTrace trace;
          const auto alone = index->Search(queries[i], options, CancelToken(), &trace);
          ASSERT_TRUE(alone.ok()) << alone.status();
          ASSERT_EQ((*together)[i].size(), alone->size());
          for (size_t j = 0; j < alone->size(); ++j) {
            EXPECT_EQ((*together)[i][j].slot, (*alone)[j].slot);
            EXPECT_EQ((*together)[i][j].distance, (*alone)[j].distance);
          }
          EXPECT_EQ(traces[i].plan, trace.plan);
          EXPECT_EQ(traces[i].distances, trace.distances);
          EXPECT_EQ(traces[i].hops, trace.hops);
        }
      }
    }
  }
}

TEST_P(VectorIndexContract, ABatchWithOneBadQueryIsRefused) {
  const auto index = Make();
  PutAll(*index, Source(32).Take(20));
  const std::vector<Vector> vectors = {Source(33).Next(), Vector(3), Source(34).Next()};
  const std::vector<std::span<const float>> queries(vectors.begin(), vectors.end());
  const auto found = index->SearchBatch(queries, Nearest(1), CancelToken(), {});
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(found.status().message(),
            "vector: dimension 3, index expects " + std::to_string(dim()));
}

TEST_P(VectorIndexContract, APassedDeadlineStopsABatch) {
  const auto index = Make();
  PutAll(*index, Source(35).Take(600));
  WaitUntilIndexed(*index);
  const CancelToken late(absl::Now() - absl::Seconds(1), nullptr);
  const std::vector<Vector> vectors = Source(36).Take(9);
  const std::vector<std::span<const float>> queries(vectors.begin(), vectors.end());
  for (const IndexSearchOptions& options : {NearestExactly(5), NearestInGraph(5, 8)}) {
    EXPECT_EQ(index->SearchBatch(queries, options, late, {}).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  }
}

TEST_P(VectorIndexContract, ABatchDuringPutsFindsWhatWasThereBefore) {
  const auto index = Make();
  const auto points = PutAll(*index, Source(37).Take(1500));
  std::atomic<bool> stops = false;
  std::thread writer([&] {
    VectorSource source = Source(38);
    for (Slot slot = 1500; !stops; slot = slot == 2500 ? 1500 : slot + 1) {
      if (slot % 3 == 0) {
        index->Remove(slot);
      } else {
        EXPECT_TRUE(index->Put(slot, source.Next()).ok());
      }
    }
  });
  std::vector<Vector> vectors;
  for (Slot slot = 0; slot < 1500; slot += 30) vectors.push_back(points.at(slot));
  const std::vector<std::span<const float>> queries(vectors.begin(), vectors.end());
  for (int i = 0; i < 20; ++i) {
    const auto found = index->SearchBatch(queries, NearestInGraph(3, 100), CancelToken(), {});
    ASSERT_TRUE(found.ok()) << found.status();
    size_t itself = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
      ASSERT_EQ((*found)[q].size(), 3U);
      itself += std::any_of((*found)[q].begin(), (*found)[q].end(),
                            [&](const Neighbor& n) { return n.slot == 30 * q; });
    }
    EXPECT_GE(itself, metric() == Metric::kInnerProduct ? 0 : queries.size() * 9 / 10);
  }
  stops = true;
  writer.join();
}

std::string NameOfRow(const testing::TestParamInfo<std::tuple<IndexConfig, Metric>>& row) {
  const auto& [kind, metric] = row.param;
  std::string name = "kind" + std::to_string(kind.index()) + "_" + std::string(NameOf(metric));
  if (const auto* ivf = std::get_if<IvfConfig>(&kind)) {
    name += "_" + std::string(NameOf(ivf->encoding)) + (ivf->opq ? "_opq" : "");
  }
  if (const auto* hnsw = std::get_if<HnswConfig>(&kind))
    name += "_" + std::string(NameOf(hnsw->quantization));
  if (const auto* faiss = std::get_if<FaissConfig>(&kind)) name += "_" + PlainName(*faiss);
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    EveryKindAndMetric, VectorIndexContract,
    testing::Combine(
        testing::ValuesIn(EveryKind(std::make_index_sequence<std::variant_size_v<IndexConfig>>())),
        testing::Values(Metric::kL2, Metric::kInnerProduct, Metric::kCosine)),
    NameOfRow);

}  // namespace
}  // namespace vettore
