// Searches, puts and removals at once, on every index kind. The thread sanitizer watches this
// program in its own preset.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "index/test_data.h"

namespace vettore {
namespace {

constexpr size_t kDim = 16;
// Slots of three fates: never touched, put again and again, and removed and put.
constexpr Slot kStable = 500;
constexpr Slot kUpdated = 700;
constexpr Slot kSlots = 1500;
constexpr HnswConfig kSmallHnsw{.m = 8, .ef_construction = 32, .ef_search = 16};

class Concurrency : public testing::TestWithParam<IndexConfig> {
 protected:
  Concurrency() : index_(MakeIndex(GetParam(), Metric::kL2, kDim)) {
    vectors_ = VectorSource(kDim, Metric::kL2, 1).Take(kSlots);
    PutAll(*index_, vectors_);
  }

  // Runs `change` on one thread with numbers of its own and `look` on two others until the changes
  // are done.
  template <typename Change, typename Look>
  void Run(int changes, Change change, Look look) {
    std::atomic<bool> done = false;
    std::vector<std::thread> lookers;
    for (uint32_t seed = 1; seed <= 2; ++seed) {
      lookers.emplace_back([&, seed] {
        std::mt19937 random(seed);
        while (!done && !HasFailure()) look(random);
      });
    }
    std::mt19937 random(3);
    for (int i = 0; i < changes && !HasFailure(); ++i) change(random);
    done = true;
    for (std::thread& looker : lookers) looker.join();
  }

  bool Found(const std::vector<Neighbor>& found, Slot slot) const {
    return std::any_of(found.begin(), found.end(),
                       [slot](const Neighbor& neighbor) { return neighbor.slot == slot; });
  }

  std::vector<Vector> vectors_;
  std::unique_ptr<VectorIndex> index_;
};

// A slot that is replaced by an equal vector has at every moment a vector: no search may fall
// between the two.
TEST_P(Concurrency, ASlotThatIsReplacedNeverDisappears) {
  Run(
      3000,
      [&](std::mt19937& random) {
        const Slot slot = kStable + random() % (kUpdated - kStable);
        ASSERT_TRUE(index_->Put(slot, vectors_[slot]).ok());
      },
      [&](std::mt19937& random) {
        const Slot slot = kStable + random() % (kUpdated - kStable);
        SlotBitmap allowed(kSlots);
        allowed.Insert(slot);
        IndexSearchOptions filtered = NearestInGraph(1, 16);
        filtered.allowed = &allowed;
        filtered.allowed_count = 1;
        EXPECT_EQ(MustSearch(*index_, vectors_[slot], filtered).size(), 1U);
        const auto exact = MustSearch(*index_, vectors_[slot], NearestExactly(1));
        ASSERT_EQ(exact.size(), 1U);
        EXPECT_EQ(exact[0].slot, slot);
        EXPECT_EQ(exact[0].distance, 0);
      });
}

TEST_P(Concurrency, EverySearchIsCompleteWhilePointsComeAndGo) {
  Run(
      4000,
      [&](std::mt19937& random) {
        const Slot slot = kUpdated + random() % (kSlots - kUpdated);
        if (random() % 2 == 0) {
          index_->Remove(slot);
        } else {
          ASSERT_TRUE(index_->Put(slot, vectors_[random() % kSlots]).ok());
        }
      },
      [&](std::mt19937& random) {
        const Slot slot = random() % kStable;
        const auto found = MustSearch(*index_, vectors_[slot], NearestInGraph(20, 32));
        EXPECT_EQ(found.size(), 20U);
        std::set<Slot> slots;
        for (const Neighbor& neighbor : found) slots.insert(neighbor.slot);
        EXPECT_EQ(slots.size(), 20U);
        EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
        EXPECT_TRUE(Found(MustSearch(*index_, vectors_[slot], NearestExactly(5)), slot));
      });
}

TEST_P(Concurrency, EachThreadSeesItsOwnPutsAndRemovalsAtOnce) {
  std::vector<std::thread> threads;
  for (Slot own = 0; own < 3; ++own) {
    threads.emplace_back([&, own] {
      VectorSource source(kDim, Metric::kL2, 100 + own);
      for (int i = 0; i < 300; ++i) {
        const Slot slot = kSlots + own;
        const Vector vector = source.Next();
        EXPECT_TRUE(index_->Put(slot, vector).ok());
        EXPECT_TRUE(Found(MustSearch(*index_, vector, NearestInGraph(5, 16)), slot));
        index_->Remove(slot);
        EXPECT_FALSE(Found(MustSearch(*index_, vector, NearestInGraph(50, 64)), slot));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Removals past a quarter make HNSW rebuild and IVF rewrite its lists; their rows are reused while
// searches still run on what was.
TEST_P(Concurrency, RebuildingDisturbsNoSearch) {
  for (Slot slot = kSlots; slot < 2 * kSlots; ++slot) {
    ASSERT_TRUE(index_->Put(slot, vectors_[slot - kSlots]).ok());
  }
  WaitUntilIndexed(*index_);
  Run(
      4000,
      [&](std::mt19937& random) {
        const Slot slot = kUpdated + random() % (2 * kSlots - kUpdated);
        ASSERT_TRUE(index_->Put(slot, vectors_[random() % kSlots]).ok());
        if (random() % 512 == 0) WaitUntilIndexed(*index_);
      },
      [&](std::mt19937& random) {
        const Slot slot = random() % kStable;
        SlotBitmap allowed(kSlots);
        for (Slot other = 0; other < kStable; ++other) allowed.Insert(other);
        IndexSearchOptions filtered = NearestInGraph(10, 16);
        filtered.allowed = &allowed;
        filtered.allowed_count = kStable;
        const auto found = MustSearch(*index_, vectors_[slot], filtered);
        EXPECT_EQ(found.size(), 10U);
        for (const Neighbor& neighbor : found) {
          EXPECT_LT(neighbor.slot, kStable);
          EXPECT_NEAR(neighbor.distance,
                      TrueDistance(Metric::kL2, vectors_[slot], vectors_[neighbor.slot]), 1e-3);
        }
        EXPECT_EQ(MustSearch(*index_, vectors_[slot], NearestInGraph(10, 16)).size(), 10U);
      });
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, Concurrency,
    testing::Values(IndexConfig(FlatConfig{}), IndexConfig(kSmallHnsw),
                    IndexConfig(IvfConfig{.nlist = 20, .nprobe = 4}),
                    IndexConfig(IvfConfig{.nprobe = 2, .encoding = IvfEncoding::kPq4}),
                    IndexConfig(IvfConfig{.nprobe = 2, .encoding = IvfEncoding::kPq8}),
                    IndexConfig(FaissConfig{"IVF8,SQ8", "nprobe=2"}),
                    IndexConfig(FaissConfig{"HNSW8"}), IndexConfig(FaissConfig{"PQ8x4fs"})),
    [](const testing::TestParamInfo<IndexConfig>& row) {
      std::string name = "kind" + std::to_string(row.param.index());
      if (const auto* ivf = std::get_if<IvfConfig>(&row.param)) {
        name += NameOf(ivf->encoding);
      }
      if (const auto* faiss = std::get_if<FaissConfig>(&row.param)) name += PlainName(*faiss);
      return name;
    });

}  // namespace
}  // namespace vettore
