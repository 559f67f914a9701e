// Handing work to the linking threads: inserting, removing, rebuilding.
#include "index/graph/link_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vettore {
namespace {

// Small, because the rows of a portion are scanned by each search until the portion is back.
constexpr size_t kPortion = 8;
constexpr size_t kRebuildPortion = 64;
// Bypassing so many takes about as long as inserting a portion.
constexpr size_t kBypassPortion = 128;
// Below it dead rows cost less than removing them.
constexpr size_t kFewDead = 1000;
// Of the linked rows. The fewer are removed at once, the more rows are visited for each.
constexpr size_t kRemovalPart = 16;
// More than this part cannot be removed faster, or better, than the rest is inserted anew.
constexpr size_t kRebuildPart = 3;
// What a quantizer learns from; with fewer it may have learned something else than what came later.
constexpr size_t kSample = 1024;
constexpr size_t kManyForSmallSample = 4 * kSample;

}  // namespace

LinkQueue::LinkQueue(RowStore& rows, EraChain& eras, MakeGraph make_graph, IsOutgrown is_outgrown)
    : rows_(rows),
      eras_(eras),
      make_graph_(std::move(make_graph)),
      is_outgrown_(std::move(is_outgrown)),
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
  const bool is_busy = rebuild_.has_value() || removal_.has_value();
  if (!is_busy && (NeedsRebuild() || NeedsRemoval())) {
    // What is being linked into the old graph would be missing in the new one, or link to rows that
    // leave.
    if (!linking_.empty()) return std::nullopt;
    if (NeedsRebuild()) {
      BeginRebuild();
    } else {
      BeginRemoval();
    }
  }
  if (rebuild_.has_value()) return TakeFromRebuild();
  if (removal_.has_value()) return TakeFromRemoval();
  return TakeWaiting();
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
  Portion portion{.work = Work::kInsert, .graph = nullptr};
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
  Portion portion{.work = Work::kRebuild, .graph = rebuild_->graph};
  while (rebuild_->next < rebuild_->rows.size() && portion.rows.size() < kRebuildPortion) {
    const Row row = rebuild_->rows[rebuild_->next++];
    if (rows_.IsAlive(row)) portion.rows.push_back(row);
  }
  // The last one may be empty: its return finishes the rebuild.
  if (portion.rows.empty() && rebuild_->portions_out > 0) return std::nullopt;
  ++rebuild_->portions_out;
  return portion;
}

std::shared_ptr<HnswGraph> LinkQueue::Return(const Portion& portion, size_t done) {
  switch (portion.work) {
    case Work::kInsert:
      taken_ += done;
      ReturnWaiting(portion, done);
      break;
    case Work::kRebuild:
      taken_ += done;
      ReturnToRebuild(portion, done);
      if (rebuild_->next == rebuild_->rows.size() && rebuild_->portions_out == 0) {
        return FinishRebuild();
      }
      break;
    case Work::kBypass:
    case Work::kReconnect:
      ReturnToRemoval(portion, done);
      break;
  }
  if (removal_.has_value() && removal_->is_complete && linking_.empty()) EndRemoval();
  return nullptr;
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
  if (dead_linked_ > kFewDead && dead_linked_ > linked_ / kRebuildPart) return true;
  if (linked_ - dead_linked_ <= kManyForSmallSample) return false;
  return graph_->codes().sampled() < kSample / 2 ||
         (is_outgrown_ != nullptr && is_outgrown_(*graph_));
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

bool LinkQueue::NeedsRemoval() const {
  return dead_linked_ > kFewDead && dead_linked_ > linked_ / kRemovalPart;
}

void LinkQueue::BeginRemoval() {
  std::vector<Row> leaving;
  Removal removal;
  for (Row row = 0; row < generation_of_.size(); ++row) {
    if (generation_of_[row] != generation_) continue;
    (rows_.IsAlive(row) ? removal.to_bypass : leaving).push_back(row);
  }
  const auto set = std::make_shared<RowSet>();
  set->Reset(rows_.end());
  set->Insert(leaving);
  removal.leaving = set;
  graph_->BeginRemoval(set, removal.to_bypass);
  removal_ = std::move(removal);
}

std::optional<LinkQueue::Portion> LinkQueue::TakeFromRemoval() {
  Removal& removal = *removal_;
  // What is linked after the rows were reconnected would delay the end.
  if (removal.is_complete) return std::nullopt;
  removal.had_last_turn = !removal.had_last_turn;
  if (!removal.had_last_turn) {
    if (std::optional<Portion> portion = TakeWaiting()) return portion;
  }
  if (removal.is_reconnecting) return TakeWaiting();
  Portion portion{.work = Work::kBypass, .graph = graph_};
  const size_t count = std::min(kBypassPortion, removal.to_bypass.size() - removal.next);
  const auto first = removal.to_bypass.begin() + static_cast<ptrdiff_t>(removal.next);
  portion.rows.assign(first, first + static_cast<ptrdiff_t>(count));
  removal.next += count;
  if (count == 0) {
    if (removal.portions_out > 0) return TakeWaiting();
    removal.is_reconnecting = true;
    portion.work = Work::kReconnect;
    for (Row row = 0; row < generation_of_.size(); ++row) {
      if (generation_of_[row] == generation_ && rows_.IsAlive(row)) portion.rows.push_back(row);
    }
  }
  ++removal.portions_out;
  return portion;
}

void LinkQueue::ReturnToRemoval(const Portion& portion, size_t done) {
  Removal& removal = *removal_;
  --removal.portions_out;
  removal.is_complete = portion.work == Work::kReconnect;
  if (portion.work == Work::kBypass) {
    removal.to_bypass.insert(removal.to_bypass.end(),
                             portion.rows.begin() + static_cast<ptrdiff_t>(done),
                             portion.rows.end());
  }
}

void LinkQueue::EndRemoval() {
  graph_->EndRemoval();
  const std::span<const Row> leaving = removal_->leaving->Since(0);
  for (const Row row : leaving) {
    generation_of_[row] = 0;
    eras_.Retire(row);
  }
  linked_ -= leaving.size();
  dead_linked_ -= leaving.size();
  removal_.reset();
  eras_.BeginNext();
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
  const size_t waiting = waiting_.size() - next_;
  if (removal_.has_value()) {
    const size_t last = removal_->is_reconnecting ? 0 : 1;
    return waiting + removal_->to_bypass.size() - removal_->next + last;
  }
  return waiting + (NeedsRebuild() || NeedsRemoval() ? linked_ - dead_linked_ + 1 : 0);
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
