// Where each row of an IVF index is: waiting, being assigned, or in a list; and what is to be done
// about the lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "index/lists/ivf_coder.h"
#include "index/lists/ivf_list.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"
#include "types/limits.h"

namespace vettore {

// What training made, and the lists over it; both null until enough rows are there. Immutable.
struct IvfPartition {
  std::shared_ptr<const IvfCoder> coder;
  std::shared_ptr<const IvfTable> table;
};

// Rows pass from waiting to assigning to a list. A dead row stays in its list until the list is
// rewritten without it. A rebuild takes all living rows into a new partition while the old one
// answers and takes what is put meanwhile. Externally synchronised, together with the changes of
// the row store and the eras, which must outlive it.
class IvfRoster {
 public:
  // nlist: of the config; 0 follows the count.
  IvfRoster(RowStore& rows, EraChain& eras, size_t nlist)
      : rows_(rows), eras_(eras), nlist_(nlist) {}

  // Tickets ascend with the rows; a row is in a list, or was found dead, once OldestTicket() is
  // larger.
  void Push(Row row);
  void NoteKilled(Row row);

  // What one thread assigns at a time.
  struct Portion {
    IvfPartition partition;
    std::vector<Row> rows;
    std::vector<uint64_t> tickets;  // Of the rows.
  };
  // Nothing when there are no lists, or no row waits. Dead rows are retired on the way.
  std::optional<Portion> Take();
  // list_of: the list of each row of the portion in `table`, which holds them now; or empty when
  // the rows are to wait again. squared_residuals: the sum over the rows of their squared distances
  // from their centroids.
  struct Assigned {
    std::shared_ptr<const IvfTable> table;
    std::span<const uint32_t> list_of;
    double squared_residuals = 0;
  };
  void Return(const Portion& portion, const Assigned& assigned);

  // A list that is to be rewritten: because many of its rows are dead, or because it is to be
  // split. Each is handed out once.
  struct Due {
    IvfPartition partition;
    uint32_t list = 0;
    bool is_split = false;
  };
  std::optional<Due> TakeDue();
  // `table` holds other lists in place of due.list and, after a split, one more at its end; they
  // hold the rows of the old one less `dropped`. An empty `table`: the list stays as it is.
  void ReturnDue(const Due& due, std::shared_ptr<const IvfTable> table,
                 std::span<const Row> dropped);

  // Whether all should be trained anew: the first time, when the count has changed by much, or when
  // new rows lie elsewhere than those that were trained on.
  bool IsRebuildDue() const;
  // The living rows. Until FinishRebuild() or AbandonRebuild() no row is retired.
  std::vector<Row> BeginRebuild();
  // Takes over a partition of the rows that BeginRebuild() gave, each in one list; an empty one
  // when they are too few. Returns the old one, whose memory should be let go of outside the lock.
  IvfPartition FinishRebuild(IvfPartition partition, double squared_residuals);
  void AbandonRebuild();

  // What decides when all is trained anew.
  struct Progress {
    uint64_t trained_on = 0;      // Rows of the last rebuild.
    double trained_residual = 0;  // Their mean squared residual.
    uint64_t assigned_since = 0;
    double residuals_since = 0;  // Sum over what was assigned since.
  };
  const Progress& progress() const { return progress_; }
  // Takes over a partition of rows of the store. Living rows in no list wait; dead ones are
  // released. Once, before anything else.
  void Restore(IvfPartition partition, const Progress& progress);
  // Rows that were ever put into lists here, again for each rebuild.
  uint64_t taken() const { return taken_; }

  // Lists for so many rows; none when they are too few. nlist: of the config.
  static size_t ListsFor(size_t count, size_t nlist);

  const IvfPartition& partition() const { return partition_; }
  bool has_lists() const { return partition_.table != nullptr; }
  size_t listed() const { return listed_; }
  size_t dead_listed() const { return dead_listed_; }
  // Rows that are waiting or being assigned; some may be dead.
  size_t unlisted() const { return waiting_.size() - next_ + assigning_.size(); }
  void CopyUnlisted(std::vector<Row>& out) const;
  // Whether what was put up to that ticket is in lists and nothing is to be done about them.
  bool IsSettled(uint64_t ticket) const;
  uint64_t last_ticket() const { return last_ticket_; }
  // Whether a thread that came would find work, and about how many rows of it.
  size_t backlog() const;
  size_t memory_bytes() const;  // Without the partition's.

 private:
  static constexpr uint32_t kNoList = 0xFFFFFFFF;
  struct Waiting {
    Row row;
    uint64_t ticket;
  };
  struct ListState {
    uint32_t dead = 0;
    uint32_t split_above = 0;  // A list that could not be split is left alone up to this size.
    bool is_due = false;       // Or being rewritten.
  };

  uint32_t& ListOf(Row row);
  void Retire(Row row);
  void PurgeWaiting();
  void Reinsert(Waiting waiting);
  void CheckList(uint32_t list);
  void Recount(uint32_t list);
  bool WantsSplit(uint32_t list) const;
  bool WantsCompaction(uint32_t list) const;
  bool HasDrifted() const;
  void TakeOver(const IvfTable& table);

  RowStore& rows_;
  EraChain& eras_;
  const size_t nlist_;

  IvfPartition partition_;
  std::vector<uint32_t> list_of_;  // By row; kNoList when it is in none.
  std::vector<ListState> states_;  // By list.
  std::vector<uint32_t> due_;
  size_t rewriting_ = 0;  // Lists that were handed out.
  size_t listed_ = 0;
  size_t dead_listed_ = 0;

  std::vector<Waiting> waiting_;  // From next_ on.
  size_t next_ = 0;
  std::vector<Waiting> assigning_;
  size_t dead_unlisted_ = 0;
  uint64_t last_ticket_ = 0;

  bool is_rebuilding_ = false;
  std::vector<Row> retired_in_rebuild_;
  Progress progress_;
  uint64_t taken_ = 0;
};

}  // namespace vettore
