// Moving rows between waiting and lists, and deciding when lists and partition are renewed.
#include "index/lists/ivf_roster.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace vettore {
namespace {

constexpr size_t kPortion = 1024;
// Fewer rows are scanned faster than lists are searched.
constexpr size_t kFewRows = 1000;
// k-means with fewer points a cluster finds the noise of the sample.
constexpr size_t kPointsPerList = 39;
// All training together costs a few times the last one when the count grows by a constant factor
// between two. While rows wait for their lists the factor is large, or bulk loading would train all
// the time; then small, because centroids of the first rows fit the later ones badly.
constexpr double kGrowthLoading = 4;
constexpr double kGrowthIdle = 1.25;
constexpr size_t kShrink = 4;
constexpr double kDrift = 1.5;
// Rewriting a list costs its living rows; a quarter of dead ones pays for it.
constexpr size_t kDeadShare = 4;
constexpr size_t kFewDead = 16;
constexpr size_t kSplitMultiple = 4;
constexpr size_t kSmallestSplit = 256;

}  // namespace

size_t IvfRoster::ListsFor(size_t count, size_t nlist) {
  if (count < kFewRows) return 0;
  if (nlist > 0) return count >= kPointsPerList * nlist ? nlist : 0;
  const double lists = 4 * std::sqrt(static_cast<double>(count));
  return std::min({static_cast<size_t>(lists), count / kPointsPerList, size_t{limits::kNlist}});
}

uint32_t& IvfRoster::ListOf(Row row) {
  if (row >= list_of_.size()) list_of_.resize(rows_.end(), kNoList);
  return list_of_[row];
}

void IvfRoster::Retire(Row row) {
  if (is_rebuilding_) {
    retired_in_rebuild_.push_back(row);
  } else {
    eras_.Retire(row);
  }
}

void IvfRoster::Push(Row row) { waiting_.push_back({row, ++last_ticket_}); }

void IvfRoster::NoteKilled(Row row) {
  const uint32_t list = ListOf(row);
  if (list != kNoList) {
    ++dead_listed_;
    ++states_[list].dead;
    CheckList(list);
    return;
  }
  ++dead_unlisted_;
  if (dead_unlisted_ > std::max<size_t>(kPortion, (waiting_.size() - next_) / 2)) PurgeWaiting();
}

void IvfRoster::PurgeWaiting() {
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(next_));
  next_ = 0;
  std::erase_if(waiting_, [this](const Waiting& waiting) {
    if (rows_.IsAlive(waiting.row)) return false;
    Retire(waiting.row);
    return true;
  });
  dead_unlisted_ = static_cast<size_t>(
      std::count_if(assigning_.begin(), assigning_.end(),
                    [this](const Waiting& taken) { return !rows_.IsAlive(taken.row); }));
}

std::optional<IvfRoster::Portion> IvfRoster::Take() {
  if (!has_lists()) return std::nullopt;
  Portion portion{.partition = partition_, .rows = {}, .tickets = {}};
  while (next_ < waiting_.size() && portion.rows.size() < kPortion) {
    const Waiting taken = waiting_[next_++];
    if (!rows_.IsAlive(taken.row)) {
      --dead_unlisted_;
      Retire(taken.row);
      continue;
    }
    portion.rows.push_back(taken.row);
    portion.tickets.push_back(taken.ticket);
    assigning_.push_back(taken);
  }
  if (next_ > waiting_.size() / 2) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(next_));
    next_ = 0;
  }
  if (portion.rows.empty()) return std::nullopt;
  return portion;
}

void IvfRoster::Return(const Portion& portion, const Assigned& assigned) {
  // A rebuild may have taken rows of the portion over, whose numbers may even be in use again: then
  // they are not among those being assigned.
  std::vector<std::pair<Row, uint64_t>> returned(portion.rows.size());
  for (size_t i = 0; i < returned.size(); ++i) returned[i] = {portion.rows[i], portion.tickets[i]};
  std::sort(returned.begin(), returned.end());
  std::vector<Waiting> still_ours;
  std::erase_if(assigning_, [&](const Waiting& taken) {
    if (!std::binary_search(returned.begin(), returned.end(), std::pair(taken.row, taken.ticket))) {
      return false;
    }
    still_ours.push_back(taken);
    return true;
  });
  if (assigned.table == nullptr) {
    for (const Waiting& waiting : still_ours) Reinsert(waiting);
    return;
  }
  partition_.table = assigned.table;
  for (size_t i = 0; i < portion.rows.size(); ++i) {
    const Row row = portion.rows[i];
    const uint32_t list = assigned.list_of[i];
    ListOf(row) = list;
    ++listed_;
    if (!rows_.IsAlive(row)) {
      --dead_unlisted_;
      ++dead_listed_;
      ++states_[list].dead;
    }
    CheckList(list);
  }
  taken_ += portion.rows.size();
  progress_.assigned_since += portion.rows.size();
  progress_.residuals_since += assigned.squared_residuals;
}

// In the order of the tickets, which IsSettled() relies on.
void IvfRoster::Reinsert(Waiting waiting) {
  const auto place =
      std::upper_bound(waiting_.begin() + static_cast<ptrdiff_t>(next_), waiting_.end(), waiting,
                       [](const Waiting& a, const Waiting& b) { return a.ticket < b.ticket; });
  waiting_.insert(place, waiting);
}

bool IvfRoster::WantsCompaction(uint32_t list) const {
  const size_t dead = states_[list].dead;
  return dead >= kFewDead && dead * kDeadShare >= partition_.table->lists[list]->size();
}

bool IvfRoster::WantsSplit(uint32_t list) const {
  const size_t size = partition_.table->lists[list]->size() - states_[list].dead;
  const size_t mean = listed_ / states_.size();
  return size >
             std::max({kSmallestSplit, kSplitMultiple * mean, size_t{states_[list].split_above}}) &&
         states_.size() < limits::kNlist;
}

void IvfRoster::CheckList(uint32_t list) {
  if (states_[list].is_due || !(WantsCompaction(list) || WantsSplit(list))) return;
  states_[list].is_due = true;
  due_.push_back(list);
}

std::optional<IvfRoster::Due> IvfRoster::TakeDue() {
  if (due_.empty()) return std::nullopt;
  const uint32_t list = due_.back();
  due_.pop_back();
  ++rewriting_;
  return Due{partition_, list, WantsSplit(list)};
}

void IvfRoster::ReturnDue(const Due& due, std::shared_ptr<const IvfTable> table,
                          std::span<const Row> dropped) {
  --rewriting_;
  if (due.partition.coder != partition_.coder) return;  // The list is gone.
  ListState& state = states_[due.list];
  state.is_due = false;
  const bool was_split = table != nullptr && table->lists.size() > states_.size();
  // What could not be split is left alone until it has doubled.
  const size_t size = partition_.table->lists[due.list]->size();
  if (due.is_split) state.split_above = was_split ? 0 : static_cast<uint32_t>(2 * size);
  if (table == nullptr) return;
  partition_.table = std::move(table);
  for (const Row row : dropped) {
    list_of_[row] = kNoList;
    --listed_;
    --dead_listed_;
    Retire(row);
  }
  if (was_split) {
    states_.emplace_back();
    Recount(static_cast<uint32_t>(states_.size() - 1));
  }
  Recount(due.list);
}

// Sets what a new list says about its rows.
void IvfRoster::Recount(uint32_t list) {
  const IvfList& rows = *partition_.table->lists[list];
  states_[list].dead = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    ListOf(rows.row(i)) = list;
    if (!rows_.IsAlive(rows.row(i))) ++states_[list].dead;
  }
  CheckList(list);
}

bool IvfRoster::HasDrifted() const {
  if (progress_.assigned_since < std::max<uint64_t>(kFewRows, progress_.trained_on / 2))
    return false;
  const double mean = progress_.residuals_since / static_cast<double>(progress_.assigned_since);
  return std::isfinite(progress_.trained_residual) && std::isfinite(mean) &&
         mean > kDrift * progress_.trained_residual;
}

bool IvfRoster::IsRebuildDue() const {
  if (is_rebuilding_) return false;
  const size_t live = rows_.live();
  if (!has_lists()) return ListsFor(live, nlist_) > 0;
  const bool is_idle = next_ == waiting_.size() && assigning_.empty();
  const double growth = static_cast<double>(live) / static_cast<double>(progress_.trained_on);
  return growth >= (is_idle ? kGrowthIdle : kGrowthLoading) ||
         live <= progress_.trained_on / kShrink || HasDrifted();
}

std::vector<Row> IvfRoster::BeginRebuild() {
  is_rebuilding_ = true;
  std::vector<Row> alive;
  alive.reserve(rows_.live());
  for (Row row = 0; row < rows_.end(); ++row) {
    if (rows_.IsAlive(row)) alive.push_back(row);
  }
  return alive;
}

IvfPartition IvfRoster::FinishRebuild(IvfPartition partition, double squared_residuals) {
  is_rebuilding_ = false;
  std::swap(partition, partition_);
  const std::vector<uint32_t> before = std::exchange(list_of_, {});
  list_of_.assign(rows_.end(), kNoList);
  states_.clear();
  due_.clear();
  listed_ = 0;
  dead_listed_ = 0;
  if (has_lists()) TakeOver(*partition_.table);
  progress_ = {
      .trained_on = listed_,
      .trained_residual = squared_residuals / static_cast<double>(std::max<size_t>(listed_, 1))};
  taken_ += listed_;

  const auto is_listed = [this](const Waiting& waiting) { return ListOf(waiting.row) != kNoList; };
  std::erase_if(assigning_, is_listed);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(next_));
  next_ = 0;
  std::erase_if(waiting_, is_listed);
  std::vector<Waiting> orphans;  // What the old lists took after the rebuild had begun.
  for (Row row = 0; row < before.size(); ++row) {
    if (before[row] == kNoList || list_of_[row] != kNoList) continue;
    if (rows_.IsAlive(row)) {
      orphans.push_back({row, 0});
    } else {
      eras_.Retire(row);
    }
  }
  waiting_.insert(waiting_.begin(), orphans.begin(), orphans.end());
  for (const Row row : std::exchange(retired_in_rebuild_, {})) {
    if (list_of_[row] == kNoList) eras_.Retire(row);
  }
  PurgeWaiting();  // And counts the dead anew.
  eras_.BeginNext();
  return partition;
}

void IvfRoster::TakeOver(const IvfTable& table) {
  states_.resize(table.lists.size());
  for (uint32_t list = 0; list < table.lists.size(); ++list) {
    listed_ += table.lists[list]->size();
    for (size_t i = 0; i < table.lists[list]->size(); ++i) {
      const Row row = table.lists[list]->row(i);
      list_of_[row] = list;
      if (rows_.IsAlive(row)) continue;
      ++dead_listed_;
      ++states_[list].dead;
    }
  }
  for (uint32_t list = 0; list < table.lists.size(); ++list) CheckList(list);
}

void IvfRoster::Restore(IvfPartition partition, const Progress& progress) {
  partition_ = std::move(partition);
  progress_ = progress;
  list_of_.assign(rows_.end(), kNoList);
  TakeOver(*partition_.table);
  std::vector<Row> unused;
  for (Row row = 0; row < list_of_.size(); ++row) {
    if (list_of_[row] != kNoList) continue;
    if (rows_.IsAlive(row)) {
      Push(row);
    } else {
      unused.push_back(row);
    }
  }
  rows_.Release(unused);
}

void IvfRoster::AbandonRebuild() {
  is_rebuilding_ = false;
  for (const Row row : std::exchange(retired_in_rebuild_, {})) eras_.Retire(row);
}

void IvfRoster::CopyUnlisted(std::vector<Row>& out) const {
  out.clear();
  for (size_t i = next_; i < waiting_.size(); ++i) out.push_back(waiting_[i].row);
  for (const Waiting& taken : assigning_) out.push_back(taken.row);
}

bool IvfRoster::IsSettled(uint64_t ticket) const {
  if (is_rebuilding_ || IsRebuildDue() || rewriting_ > 0 || !due_.empty()) return false;
  if (!has_lists()) return true;
  uint64_t oldest =
      next_ < waiting_.size() ? waiting_[next_].ticket : std::numeric_limits<uint64_t>::max();
  for (const Waiting& taken : assigning_) oldest = std::min(oldest, taken.ticket);
  return oldest > ticket;
}

size_t IvfRoster::backlog() const {
  return (has_lists() ? waiting_.size() - next_ : 0) + due_.size() + (IsRebuildDue() ? 1 : 0);
}

size_t IvfRoster::memory_bytes() const {
  return list_of_.size() * sizeof(uint32_t) + states_.size() * sizeof(ListState);
}

}  // namespace vettore
