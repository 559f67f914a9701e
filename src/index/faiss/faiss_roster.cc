// Rows on their way from the tail into a build and out of it.
#include "index/faiss/faiss_roster.h"

#include <algorithm>
#include <utility>

namespace vettore {
namespace {

// Of what is built: a share that is new or dead makes a build due.
constexpr size_t kShare = 4;

}  // namespace

void FaissRoster::AddToTail(Row row, Place place) {
  if (row >= states_.size()) states_.resize(size_t{row} + 1);
  State& state = states_[row];
  state.tail_at = static_cast<uint32_t>(tail_.size());
  state.place = place;
  tail_.push_back(row);
  if (place == Place::kLeftOut) ++left_out_;
}

void FaissRoster::RemoveFromTail(Row row) {
  State& state = states_[row];
  const Row last = tail_.back();
  tail_[state.tail_at] = last;
  states_[last].tail_at = state.tail_at;
  tail_.pop_back();
  if (state.place == Place::kLeftOut) --left_out_;
  state.place = Place::kNone;
}

void FaissRoster::Push(Row row) {
  AddToTail(row, Place::kTail);
  put_version_ = rows_.version();
}

void FaissRoster::NoteKilled(Row row) {
  const State& state = states_[row];
  if (state.place == Place::kBuilt) {
    ++dead_built_;
    return;
  }
  if (state.place != Place::kNone) RemoveFromTail(row);
  if (!state.is_being_built) eras_.Retire(row);
}

bool FaissRoster::IsBuildDue() const {
  if (is_building_) return false;
  const bool can_build = HasEnough() && fresh() > 0;
  if (can_build && asked_version_ > std::max(built_version_, failed_version_)) return true;
  // What failed would most likely fail again.
  if (kShare * (fresh() + dead_built_) < (kShare + 1) * failed_changes_) return false;
  return (can_build && kShare * fresh() >= built()) ||
         (build_ != nullptr && kShare * dead_built_ >= built());
}

std::vector<Row> FaissRoster::BeginBuild() {
  is_building_ = true;
  building_version_ = put_version_;
  building_.clear();
  if (!HasEnough()) return {};
  building_.reserve(rows_.live());
  for (Row row = 0; row < states_.size(); ++row) {
    if (states_[row].place == Place::kNone || !rows_.IsAlive(row)) continue;
    states_[row].is_being_built = true;
    building_.push_back(row);
  }
  return building_;
}

std::shared_ptr<const FaissBuild> FaissRoster::FinishBuild(
    std::shared_ptr<const FaissBuild> build) {
  std::shared_ptr<const FaissBuild> old = std::exchange(build_, std::move(build));
  if (old != nullptr) {
    for (const Row row : old->rows) states_[row].place = Place::kNone;
  }
  if (build_ != nullptr) {
    for (const Row row : build_->rows) {
      if (states_[row].place != Place::kNone) RemoveFromTail(row);
      states_[row].place = Place::kBuilt;
    }
    taken_ += build_->rows.size();
  }
  // Each row of the old build and of what was to be built, once.
  dead_built_ = 0;
  if (old != nullptr) {
    for (const Row row : old->rows) Settle(row);
  }
  for (const Row row : building_) {
    if (states_[row].is_being_built) Settle(row);
  }
  building_ = {};
  is_building_ = false;
  built_version_ = building_version_;
  failed_changes_ = 0;
  return old;
}

void FaissRoster::Settle(Row row) {
  State& state = states_[row];
  const bool was_refused = std::exchange(state.is_being_built, false);
  const bool is_alive = rows_.IsAlive(row);
  if (state.place == Place::kBuilt) {
    if (!is_alive) ++dead_built_;
  } else if (!is_alive) {
    eras_.Retire(row);
  } else {
    if (state.place != Place::kNone) RemoveFromTail(row);
    AddToTail(row, was_refused ? Place::kLeftOut : Place::kTail);
  }
}

void FaissRoster::AbandonBuild() {
  for (const Row row : building_) {
    State& state = states_[row];
    state.is_being_built = false;
    // It died meanwhile, and no build holds it.
    if (state.place == Place::kNone) eras_.Retire(row);
  }
  building_ = {};
  is_building_ = false;
  failed_version_ = building_version_;
  failed_changes_ = fresh() + dead_built_;
}

void FaissRoster::Restore(std::shared_ptr<const FaissBuild> build) {
  build_ = std::move(build);
  states_.resize(rows_.end());
  for (const Row row : build_->rows) {
    states_[row].place = Place::kBuilt;
    if (!rows_.IsAlive(row)) ++dead_built_;
  }
  std::vector<Row> released;
  for (Row row = 0; row < states_.size(); ++row) {
    if (states_[row].place == Place::kBuilt) continue;
    if (rows_.IsAlive(row)) {
      AddToTail(row, Place::kTail);
    } else {
      released.push_back(row);
    }
  }
  rows_.Release(released);
  put_version_ = rows_.version();
  if (tail_.empty()) built_version_ = put_version_;
}

bool FaissRoster::IsSettled(uint64_t version) const {
  if (built_version_ >= version) return true;
  return !is_building_ && !IsBuildDue() && (fresh() == 0 || !HasEnough());
}

size_t FaissRoster::memory_bytes() const {
  const size_t build_bytes =
      build_ == nullptr ? 0 : build_->index->memory_bytes() + build_->rows.size() * sizeof(Row);
  return build_bytes + states_.capacity() * sizeof(State) + tail_.capacity() * sizeof(Row);
}

}  // namespace vettore
