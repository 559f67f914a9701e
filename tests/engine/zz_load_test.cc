#include <random>
#include <thread>
#include <iostream>
#include "engine/test_database.h"
namespace vettore {
TEST(Load, Big) {
  TestDatabase db;
  auto c = *db->Create(NameFor("docs"), OneVector(384, Metric::kCosine, HnswConfig{}));
  const uint64_t n = 117659;
  auto t0 = absl::Now();
  std::atomic<uint64_t> next = 0;
  std::vector<std::thread> ts;
  for (int t = 0; t < 4; ++t) ts.emplace_back([&, t] {
    std::mt19937 r(t); std::normal_distribution<float> d;
    while (true) {
      uint64_t b = next.fetch_add(500); if (b >= n) return;
      WriteRequest w; w.durability = Durability::kDurable;
      for (uint64_t i = b; i < std::min(n, b + 500); ++i) {
        std::vector<float> v(384); for (auto& x : v) x = d(r);
        w.upserts.push_back(MakePoint(PointId(i), v, {{"text", std::string(120, 'x')}, {"n", i}}));
      }
      auto s = Write(*c, std::move(w)); ASSERT_TRUE(s.ok()) << s.status();
    }
  });
  for (auto& t : ts) t.join();
  std::cerr << "ingest " << absl::Now() - t0 << "\n";
  SearchRequest q; q.query = std::vector<float>(384, 0.1F); q.k = 10; q.exact = true;
  t0 = absl::Now(); auto r1 = *Search(*c, q); std::cerr << "exact search during linking " << absl::Now() - t0 << "\n";
  std::vector<PointId> ids1 = IdsOf(r1);
  c.reset(); t0 = absl::Now(); db.Close(); std::cerr << "close " << absl::Now() - t0 << "\n";
  t0 = absl::Now(); db.Open(); std::cerr << "open " << absl::Now() - t0 << "\n";
  c = *db->Get(NameFor("docs"));
  q.exact = false;
  t0 = absl::Now(); auto r2 = *Search(*c, q); std::cerr << "first search " << absl::Now() - t0 << " " << r2.plan << "\n";
  EXPECT_EQ(IdsOf(r2), ids1);
  q.filter = Where(FieldRange{.field = "n", .gt = {}, .gte = 1000, .lt = 50000, .lte = {}});
  t0 = absl::Now(); auto r3 = *Search(*c, q); std::cerr << "unindexed filter search " << absl::Now() - t0 << " filter " << r3.filter_time << "\n";
  t0 = absl::Now(); auto n3 = *Count(*c, q.filter); std::cerr << "count " << absl::Now() - t0 << " " << n3 << "\n";
  ScrollRequest sc; sc.filter = q.filter; sc.limit = 100;
  t0 = absl::Now(); auto p = *Scroll(*c, sc); std::cerr << "scroll filtered " << absl::Now() - t0 << "\n";
  sc.filter.reset(); t0 = absl::Now(); p = *Scroll(*c, sc); std::cerr << "scroll " << absl::Now() - t0 << "\n";
  auto s = c->Status(); std::cerr << "live " << s.vectors[0].live << " unindexed " << s.vectors[0].unindexed << " mem " << db->Status().memory_bytes << "\n";
}
}
