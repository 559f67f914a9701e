// Where each row of a FAISS index is: in what the library built, or in the tail that is scanned;
// and when all is built anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/faiss/foreign_index.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"

namespace vettore {

// What one build made. Immutable.
struct FaissBuild {
  std::unique_ptr<const ForeignIndex> index;
  std::vector<Row> rows;  // By the library's number.
};

// A built row that dies keeps its place in the row store until the next build, so that no number of
// the library comes to mean another vector. Externally synchronised, together with the changes of
// the row store and the eras, which must outlive it.
class FaissRoster {
 public:
  // least_rows: that are worth a build. >= 1
  FaissRoster(RowStore& rows, EraChain& eras, size_t least_rows)
      : rows_(rows), eras_(eras), least_rows_(least_rows) {}

  void Push(Row row);
  void NoteKilled(Row row);

  // Everything put so far is to be in a build.
  void Ask() { asked_version_ = put_version_; }
  // Whether to build: the first time, when a quarter is new or dead, or when it was asked for.
  bool IsBuildDue() const;
  // The living rows; none when they are too few. Until FinishBuild() or AbandonBuild() they are not
  // retired.
  std::vector<Row> BeginBuild();
  // Takes over a build of those rows, or of some of them: the others stay in the tail. Null: of
  // none. Returns the old one, whose memory should be let go of outside the lock.
  std::shared_ptr<const FaissBuild> FinishBuild(std::shared_ptr<const FaissBuild> build);
  // The next one is tried when more is new, or when it is asked for.
  void AbandonBuild();
  // Takes over a build of rows of the store. Other living rows are the tail; other dead ones are
  // released. Once, before anything else.
  void Restore(std::shared_ptr<const FaissBuild> build);

  // Null until there is one.
  const std::shared_ptr<const FaissBuild>& build() const { return build_; }
  size_t built() const { return build_ == nullptr ? 0 : build_->rows.size(); }
  size_t dead_built() const { return dead_built_; }
  // Living rows in no build.
  std::span<const Row> tail() const { return tail_; }
  // Whether rows of the tail wait for a build, and are not just too few for one.
  bool is_tail_waiting() const { return build_ != nullptr || is_building_ || IsBuildDue(); }

  // Of the row store, at the last Push().
  uint64_t put_version() const { return put_version_; }
  // Whether everything put up to that version has had its build, or no build is wanted.
  bool IsSettled(uint64_t version) const;
  // Whether a build of all that was put up to that version was given up.
  bool HasFailed(uint64_t version) const { return failed_version_ >= version; }
  // Rows that were ever built here, again for each build.
  uint64_t taken() const { return taken_; }
  size_t memory_bytes() const;  // With the build's.

 private:
  enum class Place : uint8_t { kNone, kTail, kLeftOut, kBuilt };
  struct State {
    uint32_t tail_at = 0;        // Of a row in the tail.
    Place place = Place::kNone;  // kLeftOut: in the tail, the last build did not take it.
    bool is_being_built = false;
  };

  void Settle(Row row);
  void AddToTail(Row row, Place place);
  void RemoveFromTail(Row row);
  size_t fresh() const { return tail_.size() - left_out_; }
  bool HasEnough() const { return rows_.live() - left_out_ >= least_rows_; }

  RowStore& rows_;
  EraChain& eras_;
  const size_t least_rows_;

  std::shared_ptr<const FaissBuild> build_;
  std::vector<State> states_;  // By row.
  std::vector<Row> tail_;
  size_t left_out_ = 0;  // Of the tail.
  size_t dead_built_ = 0;

  std::vector<Row> building_;
  bool is_building_ = false;
  size_t failed_changes_ = 0;  // What was new or dead when a build was given up.
  uint64_t put_version_ = 0;
  uint64_t asked_version_ = 0;
  uint64_t building_version_ = 0;
  uint64_t built_version_ = 0;
  uint64_t failed_version_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace vettore
