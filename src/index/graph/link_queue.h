// Which rows wait for the graph, which graph answers, and when dead rows are taken out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "index/graph/hnsw_graph.h"
#include "index/rows/era_chain.h"
#include "index/rows/row_store.h"

namespace vettore {

// Rows pass from waiting to linking to linked. Dead rows stay linked, as ways through the graph,
// until they are a sixteenth of it; then they are removed from it, while new rows are linked in
// turn. Where most are dead, or the quantizer learned from a handful of rows or has become too fine
// for their number, and many are there, a new graph is built from the living while the old one
// answers and new rows wait, and replaces it. Externally synchronised, together with the changes of
// the row store and the eras, which must outlive it.
class LinkQueue {
 public:
  // generation: 1, 2, ... of the graphs. sample: of the rows that it will hold, for the quantizer
  // to learn from.
  using MakeGraph =
      std::function<std::shared_ptr<HnswGraph>(uint32_t generation, std::span<const Row> sample)>;

  // Whether a new graph would have coarser codes. Null: never.
  using IsOutgrown = std::function<bool(const HnswGraph& graph)>;

  LinkQueue(RowStore& rows, EraChain& eras, MakeGraph make_graph, IsOutgrown is_outgrown = nullptr);

  // Tickets ascend with the rows; a row is linked, or was found dead, once OldestTicket() is
  // larger.
  uint64_t Push(Row row);
  void NoteKilled(Row row);

  enum class Work {
    kInsert,     // Into the graph that answers.
    kRebuild,    // Insert into the new graph.
    kBypass,     // See HnswGraph::Bypass().
    kReconnect,  // See HnswGraph::Reconnect(), of all rows in one call.
  };
  // What one thread does at a time: unlocked, and then it hands the portion back.
  struct Portion {
    Work work;
    std::shared_ptr<HnswGraph> graph;
    std::vector<Row> rows = {};
    std::vector<uint64_t> tickets = {};  // Of the rows to insert.
  };
  // Nothing when there is no work, or it must wait for portions that are out. Dead rows are retired
  // on the way.
  std::optional<Portion> Take();
  // The work is done for the first `done` of the portion's rows; the others wait again. Returns a
  // graph that is no longer used: its memory is large, so it should be let go of outside the lock.
  std::shared_ptr<HnswGraph> Return(const Portion& portion, size_t done);

  // Hands out no portion until Resume(); what is out may come back. Pauses may overlap.
  void Pause() { ++pauses_; }
  void Resume() { --pauses_; }
  // The graph changes only with portions that are out, or with a new graph in the making.
  bool is_still() const {
    return linking_.empty() && !rebuild_.has_value() &&
           (!removal_.has_value() || removal_->portions_out == 0);
  }
  bool is_rebuilding() const { return rebuild_.has_value(); }
  // What only leaving rows led to may be out of reach until the removal ends.
  bool is_removing() const { return removal_.has_value(); }
  // By row: whether the graph holds it. While it is still.
  std::vector<uint8_t> InGraph() const;
  uint32_t generation() const { return generation_; }
  // Takes over a graph of which in_graph, by row of the store, says what it holds. Living rows that
  // it lacks wait; dead ones are released. Once, before anything else.
  void Restore(uint32_t generation, std::shared_ptr<HnswGraph> graph,
               std::span<const uint8_t> in_graph);

  // The graph that answers.
  const std::shared_ptr<HnswGraph>& graph() const { return graph_; }
  // Its rows, and how many of them are dead.
  size_t linked() const { return linked_; }
  size_t dead_linked() const { return dead_linked_; }
  // Rows that were ever linked here, again for each rebuild.
  uint64_t taken() const { return taken_; }
  // Rows that are waiting or linking; some may be dead.
  size_t unlinked() const { return waiting_.size() - next_ + linking_.size(); }
  void CopyUnlinked(std::vector<Row>& out) const;
  uint64_t OldestTicket() const;
  uint64_t last_ticket() const { return last_ticket_; }
  // Whether a thread that came would find work, and about how many rows of it.
  size_t backlog() const;

 private:
  struct Waiting {
    Row row;
    uint64_t ticket;
  };
  struct Rebuild {
    std::shared_ptr<HnswGraph> graph;
    std::vector<Row> rows;
    size_t next;
    size_t portions_out;
  };

  struct Removal {
    std::shared_ptr<const RowSet> leaving;
    std::vector<Row> to_bypass;
    size_t next = 0;
    size_t portions_out = 0;
    bool is_reconnecting = false;  // All were bypassed.
    bool is_complete = false;      // It ends when no portion is out.
    bool had_last_turn = false;    // Removing and inserting take turns.
  };

  // A graph without rows gives way to one whose quantizer knows those that wait, when they are more
  // than twice those that it knows.
  void BeginFirstGraph();
  std::vector<Row> SampleOf(std::span<const Row> rows) const;
  bool NeedsRebuild() const;
  void BeginRebuild();
  std::shared_ptr<HnswGraph> FinishRebuild();
  std::optional<Portion> TakeFromRebuild();
  void ReturnToRebuild(const Portion& portion, size_t inserted);
  bool NeedsRemoval() const;
  void BeginRemoval();
  void EndRemoval();
  std::optional<Portion> TakeFromRemoval();
  void ReturnToRemoval(const Portion& portion, size_t done);
  std::optional<Portion> TakeWaiting();
  void ReturnWaiting(const Portion& portion, size_t inserted);
  uint32_t& GenerationOf(Row row);

  RowStore& rows_;
  EraChain& eras_;
  const MakeGraph make_graph_;
  const IsOutgrown is_outgrown_;

  uint32_t generation_ = 1;  // Of graph_.
  std::shared_ptr<HnswGraph> graph_;
  size_t linked_ = 0;
  size_t dead_linked_ = 0;
  // By row: the newest graph that holds it; 0 when none does.
  std::vector<uint32_t> generation_of_;

  std::vector<Waiting> waiting_;  // From next_ on.
  size_t next_ = 0;
  std::vector<Waiting> linking_;
  uint64_t last_ticket_ = 0;
  // At most one of both.
  std::optional<Rebuild> rebuild_;
  std::optional<Removal> removal_;
  int pauses_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace vettore
