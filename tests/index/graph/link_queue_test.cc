// Rows that could not be linked wait again.
#include "index/graph/link_queue.h"

#include <gtest/gtest.h>

namespace vettore {
namespace {

TEST(LinkQueue, RowsThatComeBackUnlinkedKeepTheirTurn) {
  RowStore rows(1);
  EraChain eras(rows);
  const VectorDistance distance(Metric::kL2, 1);
  LinkQueue queue(rows, eras, [&](uint32_t, std::span<const Row>) {
    return std::make_shared<HnswGraph>(rows, distance, HnswGraph::Options{}, nullptr);
  });
  constexpr uint64_t kRows = 30;
  for (Slot slot = 0; slot < kRows; ++slot) {
    const float vector = static_cast<float>(slot);
    queue.Push(rows.Put(slot, {&vector, 1})->row);
  }
  auto first = queue.Take();
  auto second = queue.Take();
  ASSERT_TRUE(first.has_value() && second.has_value());
  // Memory ran out after two rows of the first portion and before any of the second.
  queue.Return(*first, 2);
  queue.Return(*second, 0);
  EXPECT_EQ(queue.OldestTicket(), first->tickets[2]);
  std::vector<uint64_t> order;
  while (auto portion = queue.Take()) {
    order.insert(order.end(), portion->tickets.begin(), portion->tickets.end());
    queue.Return(*portion, portion->rows.size());
  }
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), kRows - 2);
  EXPECT_GT(queue.OldestTicket(), queue.last_ticket());
}

}  // namespace
}  // namespace vettore
