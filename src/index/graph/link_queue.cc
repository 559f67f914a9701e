// Handing rows to the linking threads, and rebuilding.
#include "index/graph/link_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vettore {
namespace {

// Small, because the rows of a portion are scanned by each search until the portion is back.
constexpr size_t kPortion = 8;
constexpr size_t kRebuildPortion = 64;
// Below it dead rows cost less than building anew.
constexpr size_t kFewDead = 1000;
// What a quantizer learns from; with fewer it may have learned something else than what came later.
constexpr size_t kSample = 1024;
constexpr size_t kManyForSmallSample = 4 * kSample;

}  // namespace

LinkQueue::LinkQueue(RowStore& rows, EraChain& eras, MakeGraph make_graph)
    : rows_(rows),
      eras_(eras),
      make_graph_(std::move(make_graph)),
      graph_(make_graph_(generation_, {})) {}

uint64_t LinkQueue::Push(Row row) {
  waiting_.push_back({row, ++last_ticket_});
  return last_ticket_;
}

void LinkQueue::NoteKilled(Row row) {
  // A row that is not linked yet is counted when its turn comes.
  if (GenerationOf(row) != 0) ++dead_linked_;
}

uint32_t& LinkQueue::GenerationOf(Row row) {
  if (row >= generation_of_.size()) generation_of_.resize(rows_.end(), 0);
  return generation_of_[row];
}

std::optional<LinkQueue::Portion> LinkQueue::Take() {
  if (pauses_ > 0) return std::nullopt;
  if (!rebuild_.has_value() && NeedsRebuild()) {
    // What is being linked into the old graph would be missing in the new one.
    if (!linking_.empty()) return std::nullopt;
    BeginRebuild();
  }
  if (!rebuild_.has_value()) return TakeWaiting();
  return TakeFromRebuild();
}

std::vector<Row> LinkQueue::SampleOf(std::span<const Row> rows) const {
  std::vector<Row> sample;
  const size_t stride = std::max<size_t>(1, rows.size() / kSample);
  for (size_t i = 0; i < rows.size() && sample.size() < kSample; i += stride) {
    if (rows_.IsAlive(rows[i])) sample.push_back(rows[i]);
  }
  return sample;
}

void LinkQueue::BeginFirstGraph() {
  // Rows may come and go without one ever being linked: each time would be a training.
  const size_t sampled = graph_->codes().sampled();
  if (sampled >= kSample || waiting_.size() - next_ <= 2 * sampled) return;
  std::vector<Row> rows;
  for (size_t i = next_; i < waiting_.size(); ++i) rows.push_back(waiting_[i].row);
  graph_ = make_graph_(generation_, SampleOf(rows));
}

std::optional<LinkQueue::Portion> LinkQueue::TakeWaiting() {
  if (linked_ == 0 && linking_.empty()) BeginFirstGraph();
  Portion portion;
  while (next_ < waiting_.size() && portion.rows.size() < kPortion) {
    const Waiting taken = waiting_[next_++];
    if (!rows_.IsAlive(taken.row)) {
      eras_.Retire(taken.row);
      continue;
    }
    portion.rows.push_back(taken.row);
    portion.tickets.push_back(taken.ticket);
    linking_.push_back(taken);
  }
  if (next_ > waiting_.size() / 2) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(next_));
    next_ = 0;
  }
  if (portion.rows.empty()) return std::nullopt;
  portion.graph = graph_;
  return portion;
}

std::optional<LinkQueue::Portion> LinkQueue::TakeFromRebuild() {
  Portion portion{.graph = rebuild_->graph, .rows = {}, .tickets = {}, .is_rebuild = true};
  while (rebuild_->next < rebuild_->rows.size() && portion.rows.size() < kRebuildPortion) {
    const Row row = rebuild_->rows[rebuild_->next++];
    if (rows_.IsAlive(row)) portion.rows.push_back(row);
  }
  // The last one may be empty: its return finishes the rebuild.
  if (portion.rows.empty() && rebuild_->portions_out > 0) return std::nullopt;
  ++rebuild_->portions_out;
  return portion;
}

std::shared_ptr<HnswGraph> LinkQueue::Return(const Portion& portion, size_t inserted) {
  taken_ += inserted;
  if (!portion.is_rebuild) {
    ReturnWaiting(portion, inserted);
    return nullptr;
  }
  ReturnToRebuild(portion, inserted);
  const bool is_complete = rebuild_->next == rebuild_->rows.size() && rebuild_->portions_out == 0;
  return is_complete ? FinishRebuild() : nullptr;
}

void LinkQueue::ReturnWaiting(const Portion& portion, size_t inserted) {
  for (size_t i = 0; i < portion.rows.size(); ++i) {
    const Row row = portion.rows[i];
    std::erase_if(linking_, [row](const Waiting& linking) { return linking.row == row; });
    if (i < inserted) {
      GenerationOf(row) = generation_;
      ++linked_;
      if (!rows_.IsAlive(row)) ++dead_linked_;
    } else {
      // In the order of the tickets, which OldestTicket() relies on.
      const Waiting again{row, portion.tickets[i]};
      const auto place =
          std::lower_bound(waiting_.begin() + static_cast<ptrdiff_t>(next_), waiting_.end(), again,
                           [](const Waiting& a, const Waiting& b) { return a.ticket < b.ticket; });
      waiting_.insert(place, again);
    }
  }
}

void LinkQueue::ReturnToRebuild(const Portion& portion, size_t inserted) {
  for (size_t i = 0; i < portion.rows.size(); ++i) {
    if (i < inserted) {
      GenerationOf(portion.rows[i]) = generation_ + 1;
    } else {
      rebuild_->rows.push_back(portion.rows[i]);
    }
  }
  --rebuild_->portions_out;
}

bool LinkQueue::NeedsRebuild() const {
  const bool is_crowded_by_dead = dead_linked_ > kFewDead && dead_linked_ > linked_ / 4;
  return is_crowded_by_dead ||
         (graph_->codes().sampled() < kSample / 2 && linked_ - dead_linked_ > kManyForSmallSample);
}

void LinkQueue::BeginRebuild() {
  std::vector<Row> rows;
  for (Row row = 0; row < generation_of_.size(); ++row) {
    if (generation_of_[row] == generation_ && rows_.IsAlive(row)) rows.push_back(row);
  }
  std::shared_ptr<HnswGraph> graph = make_graph_(generation_ + 1, SampleOf(rows));
  rebuild_ = Rebuild{std::move(graph), std::move(rows), 0, 0};
}

std::shared_ptr<HnswGraph> LinkQueue::FinishRebuild() {
  const uint32_t old_generation = generation_++;
  linked_ = 0;
  dead_linked_ = 0;
  for (Row row = 0; row < generation_of_.size(); ++row) {
    if (generation_of_[row] == generation_) {
      ++linked_;
      if (!rows_.IsAlive(row)) ++dead_linked_;
    } else if (generation_of_[row] == old_generation) {
      generation_of_[row] = 0;
      eras_.Retire(row);
    }
  }
  std::shared_ptr<HnswGraph> old = std::exchange(graph_, std::move(rebuild_->graph));
  rebuild_.reset();
  eras_.BeginNext();
  return old;
}

std::vector<uint8_t> LinkQueue::InGraph() const {
  std::vector<uint8_t> in_graph(rows_.end());
  for (Row row = 0; row < generation_of_.size(); ++row) {
    in_graph[row] = generation_of_[row] == generation_ ? 1 : 0;
  }
  return in_graph;
}

void LinkQueue::Restore(uint32_t generation, std::shared_ptr<HnswGraph> graph,
                        std::span<const uint8_t> in_graph) {
  generation_ = generation;
  graph_ = std::move(graph);
  generation_of_.assign(in_graph.size(), 0);
  std::vector<Row> unused;
  for (Row row = 0; row < in_graph.size(); ++row) {
    const bool is_alive = rows_.IsAlive(row);
    if (in_graph[row] != 0) {
      generation_of_[row] = generation_;
      ++linked_;
      if (!is_alive) ++dead_linked_;
    } else if (is_alive) {
      Push(row);
    } else {
      unused.push_back(row);
    }
  }
  rows_.Release(unused);
}

size_t LinkQueue::backlog() const {
  if (pauses_ > 0) return 0;
  if (rebuild_.has_value()) return rebuild_->rows.size() - rebuild_->next;
  return waiting_.size() - next_ + (NeedsRebuild() ? linked_ - dead_linked_ + 1 : 0);
}

void LinkQueue::CopyUnlinked(std::vector<Row>& out) const {
  out.clear();
  for (size_t i = next_; i < waiting_.size(); ++i) out.push_back(waiting_[i].row);
  for (const Waiting& linking : linking_) out.push_back(linking.row);
}

uint64_t LinkQueue::OldestTicket() const {
  uint64_t oldest =
      next_ < waiting_.size() ? waiting_[next_].ticket : std::numeric_limits<uint64_t>::max();
  for (const Waiting& linking : linking_) oldest = std::min(oldest, linking.ticket);
  return oldest;
}

}  // namespace vettore
