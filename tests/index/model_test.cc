// Random operations on every index kind, judged by a map from slot to vector.
#include <gtest/gtest.h>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr Slot kSlots = 2000;

struct Shape {
  size_t dim = 12;
  uint32_t ef = 24;
};

class RandomOperations {
 public:
  RandomOperations(const IndexConfig& kind, const Shape& shape, uint32_t seed)
      : metric_(seed % 2 == 0 ? Metric::kL2 : Metric::kCosine),
        index_(MakeIndex(kind, metric_, shape.dim)),
        source_(shape.dim, metric_, seed),
        random_(seed),
        ef_(shape.ef) {}

  void Step() {
    const uint32_t dice = random_() % 100;
    if (dice < 60) {
      const Slot slot = random_() % kSlots;
      points_[slot] = source_.Next();
      ASSERT_TRUE(index_->Put(slot, points_[slot]).ok());
    } else if (dice < 80) {
      const Slot slot = random_() % kSlots;
      index_->Remove(slot);
      points_.erase(slot);
    } else if (dice < 99) {
      SearchOnce();
    } else if (random_() % 20 == 0) {
      WaitUntilIndexed(*index_);
    }
  }

  double mean_recall() const { return searches_ == 0 ? 1 : recall_ / searches_; }

 private:
  void SearchOnce() {
    const Vector query = source_.Next();
    IndexSearchOptions options = NearestInGraph(1 + random_() % 30, ef_);
    options.exact = random_() % 4 == 0;
    SlotBitmap allowed;
    std::map<Slot, Vector> admitted = points_;
    if (random_() % 2 == 0) {
      const uint32_t share = 1 + random_() % 100;
      for (Slot slot = 0; slot < kSlots; ++slot) {
        if (random_() % 100 < share) {
          allowed.Insert(slot);
        } else {
          admitted.erase(slot);
        }
      }
      options.allowed = &allowed;
      options.allowed_count = admitted.size();
    }
    const auto found = MustSearch(*index_, query, options);
    const auto truth = TrueNearest(metric_, admitted, query, options.k);
    ASSERT_EQ(found.size(), truth.size());
    ExpectTrueNeighbors(found, metric_, admitted, query);
    const double recall = Recall(found, truth);
    EXPECT_TRUE(!options.exact || recall == 1.0) << recall;
    recall_ += recall;
    ++searches_;
    EXPECT_EQ(index_->Stats().live, points_.size());
  }

  const Metric metric_;
  std::unique_ptr<VectorIndex> index_;
  VectorSource source_;
  std::mt19937 random_;
  const uint32_t ef_;
  std::map<Slot, Vector> points_;
  double recall_ = 0;
  double searches_ = 0;
};

void RunModel(const IndexConfig& kind, double least_recall, const Shape& shape = {}) {
  const uint32_t first = std::random_device()();
  for (uint32_t seed = first; seed < first + 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::cout << "seed " << seed << std::endl;
    RandomOperations operations(kind, shape, seed);
    for (int i = 0; i < 8000 && !testing::Test::HasFatalFailure(); ++i) operations.Step();
    EXPECT_GE(operations.mean_recall(), least_recall);
  }
}

TEST(Model, FlatAgreesWithAMap) { RunModel(FlatConfig{}, 1.0); }

// Small parameters: most searches go through the graph, and tombstones exceed their share often.
TEST(Model, HnswAgreesWithAMap) {
  RunModel(HnswConfig{.m = 8, .ef_construction = 40, .ef_search = 24}, 0.93);
}

// Of few dimensions a bit a value says little, and it takes more candidates.
TEST(Model, HnswOfOneBitCodesAgreesWithAMap) {
  RunModel(HnswConfig{.m = 8, .ef_construction = 80, .quantization = Quantization::kRaBitQ}, 0.9,
           {.dim = 128, .ef = 192});
}

// A few lists of many: they are rewritten, and trained anew, often.
TEST(Model, IvfAgreesWithAMap) {
  for (const IvfEncoding encoding : {IvfEncoding::kFlat, IvfEncoding::kPq4, IvfEncoding::kPq8}) {
    SCOPED_TRACE(NameOf(encoding));
    RunModel(IvfConfig{.encoding = encoding}, 0.9);
  }
}

TEST(Model, IvfOfOneBitCodesAgreesWithAMap) {
  RunModel(IvfConfig{.encoding = IvfEncoding::kRaBitQ}, 0.9, {.dim = 128});
}

// Built anew again and again; with and without filters of the library's own.
TEST(Model, FaissAgreesWithAMap) {
  for (const FaissConfig& faiss :
       {FaissConfig{"Flat"}, FaissConfig{"HNSW12"}, FaissConfig{"IVF8,SQ8", "nprobe=4"},
        FaissConfig{"IVF6,PQ6x4fs", "nprobe=4"}, FaissConfig{"PCAR10,IVF4,PQ5x4", "nprobe=3"}}) {
    SCOPED_TRACE(faiss.factory);
    RunModel(faiss, 0.9);
  }
}

}  // namespace
}  // namespace vettore
