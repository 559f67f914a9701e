// The HNSW graph of Malkov & Yashunin (2018) over the rows of a store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/cancel.h"
#include "base/checksummed_file.h"
#include "index/codes/code_store.h"
#include "index/graph/adjacency.h"
#include "index/graph/search_scratch.h"
#include "index/index_report.h"
#include "index/rows/row_store.h"
#include "index/traced_mutex.h"
#include "types/collection_config.h"

namespace vettore {

// A row is inserted once and stays; whether it is dead, or whose it is, is not the graph's
// business. Any number of insertions and searches run at once: searches take no lock, insertions
// lock one list at a time. Thread-safe.
class HnswGraph {
 public:
  struct Options {
    HnswConfig config;
    uint64_t seed = 0;  // Of the levels, which depend on it and on the row only.
  };
  // rows, distance: must outlive the graph; a row must keep its vector for as long as the graph can
  // be reached. codec: null to measure the rows themselves.
  HnswGraph(const RowStore& rows, const VectorDistance& distance, const Options& options,
            std::unique_ptr<const VectorCodec> codec);

  // What the graph measures; distances of its searches are the codes'.
  const CodeStore& codes() const { return codes_; }

  // Algorithm 1, with the neighbour selection of Algorithm 4. The row is not in the graph yet.
  // ResourceExhausted when there is no memory; the graph is unchanged then.
  absl::Status Insert(Row row, SearchScratch& scratch) ABSL_LOCKS_EXCLUDED(grow_mutex_);

  // Rows leave the graph in three steps, as in FreshDiskANN's consolidation (Singh et al., 2021):
  // BeginRemoval(), Bypass() of every row that stays, EndRemoval(). Searches go on, and find the
  // leaving rows until their last links are gone; so do insertions between the steps.

  // From now on nothing new links to the leaving rows, and searches begin elsewhere. staying: all
  // others of the graph, of which there is one. While nobody inserts.
  void BeginRemoval(std::shared_ptr<const RowSet> leaving, std::span<const Row> staying);
  // Puts links to what the leaving rows lead to in the place of the row's links to them. Different
  // rows' at once, by any number of threads.
  void Bypass(Row row, SearchScratch& scratch);
  // Gives those of the rows that no search can reach a link from their neighbours, as far as it
  // comes before `is_stopping`. While nobody inserts or bypasses. Returns how many those were.
  size_t Reconnect(std::span<const Row> rows, absl::FunctionRef<bool()> is_stopping,
                   SearchScratch& scratch);
  // The rows have left: who begins to search now does not meet them. While nobody inserts.
  void EndRemoval();

  // Algorithm 5, for scratch.query, a step at a time: leaves the up to `ef` nearest rows that it
  // met in scratch.pool, nearest first. `scratch` counts distances and hops on. While what a step
  // asked for is on its way from memory, others can do steps of theirs. Externally synchronised.
  class Walk {
   public:
    // Goes down to level 0, where the steps begin. The borrows must outlive it.
    Walk(const HnswGraph& graph, size_t ef, SearchScratch& scratch);
    // False when there is nothing left to do.
    bool Step();

   private:
    friend class HnswGraph;
    Walk(const HnswGraph& graph, SearchScratch& scratch) : graph_(graph), scratch_(scratch) {}
    // Algorithm 2 from there on.
    void Begin(Candidate start, int level, size_t ef);

    const HnswGraph& graph_;
    SearchScratch& scratch_;
    int level_ = 0;
    size_t measured_ = 0;  // Of the rows that were visited.
  };

  struct FilteredSearch {
    size_t ef = 0;
    absl::FunctionRef<bool(Row)> admits;
  };
  // The same, but only rows that the filter admits enter the pool; the others are passed through.
  // It goes on until the pool is full of admitted rows or the graph is exhausted.
  absl::Status Search(const FilteredSearch& filtered, const CancelToken& cancel,
                      SearchScratch& scratch) const;

  // Writes the graph, while nobody inserts; Load() reads it into an empty one of the same options
  // and codec, which must not be used before CheckLoaded(), but for Inspect(). DataLoss: the bytes
  // are not a graph's; ResourceExhausted; the statuses of writing.
  absl::Status Save(ChecksummedWriter& out) const;
  absl::Status Load(ChecksummedReader& in);
  // in_graph: by row, not 0 for those that it holds. DataLoss: a search would go astray.
  absl::Status CheckLoaded(std::span<const uint8_t> in_graph);

  // By row, not 0 for those that the graph holds, and for those that live. Equally many.
  struct GraphRows {
    std::span<const uint8_t> in_graph;
    std::span<const uint8_t> is_alive;
  };
  // Names all that is wrong with the graph: its lists, its entry, and living rows that no search
  // can reach. While nobody inserts.
  void Inspect(const GraphRows& rows, IndexReport& report) const;

  size_t rows() const { return adjacency_.rows(); }
  size_t memory_bytes() const;

 private:
  int LevelOf(Row row) const;
  // By row; Adjacency::kNotInGraph of those that the graph does not hold.
  std::vector<uint8_t> LevelsOf(std::span<const uint8_t> in_graph) const;
  // usable: what Adjacency::Inspect() returned.
  void InspectReach(const GraphRows& rows, std::span<const uint8_t> usable,
                    IndexReport& report) const;
  // Greedy descent from the entry point to just above `level`; the candidate where the search of
  // that level begins.
  Candidate Descend(Adjacency::EntryPoint entry, int level, SearchScratch& scratch) const;
  // Algorithm 2. Leaves the nearest `ef` in scratch.pool.
  absl::Status SearchLevel(Candidate start, int level, size_t ef, const CancelToken& cancel,
                           SearchScratch& scratch) const;
  // Visits the neighbours of the rows, and asks for the codes of those that were not visited
  // before: the last in scratch.visited.
  void Visit(std::span<const Row> rows, int level, SearchScratch& scratch) const;
  // The rows visited first to last, and their distances in scratch.measured.
  struct Visited {
    size_t first;
    size_t last;
  };
  std::span<const Row> Measure(Visited visited, SearchScratch& scratch) const;
  bool IsLeaving(Row row) const { return leaving_ != nullptr && leaving_->Contains(row); }
  // scratch.query is the row's.
  void InsertBelow(Row row, int level, Adjacency::EntryPoint entry, SearchScratch& scratch);
  // The neighbours that the row should have on the level, by a search that begins at `start`;
  // returns the nearest that it met. scratch.query is the row's.
  Candidate FindNeighbors(Row row, int level, Candidate start, SearchScratch& scratch,
                          std::vector<Candidate>& neighbors) const;
  // Leaves what scratch.pool holds of rows that `row` may link to.
  void CollectCandidates(Row row, SearchScratch& scratch, std::vector<Candidate>& found) const;
  // Candidates were found by codes that are too coarse to choose among them: gives them the
  // distances of their vectors from the row's, and puts the nearest first.
  void MeasureVectors(Row row, std::vector<Candidate>& candidates, SearchScratch& scratch) const;
  // Algorithm 4: keeps up to `most` of `candidates` (nearest first) that lie in different
  // directions; when those are fewer than `least`, the nearest of the others join them.
  struct Room {
    size_t least;
    size_t most;
  };
  void SelectNeighbors(Room room, std::vector<Candidate>& candidates, SearchScratch& scratch) const;
  // Whether it is as near to one of `kept` as `distance`.
  bool IsNearToAny(Row row, float distance, std::span<const Row> kept,
                   SearchScratch& scratch) const;
  void LinkBack(Row row, int level, Row neighbor, SearchScratch& scratch);
  void BypassList(Row row, int level, SearchScratch& scratch);
  struct List {
    Row row;
    int level;
  };
  // The rows that stay and that the rows of `through` lead to, nearest to the list's row first; not
  // that row itself and not those of `known`. scratch.query is the row's.
  std::vector<Candidate> CollectDetours(List list, std::span<const Row> known,
                                        std::span<const Row> through, SearchScratch& scratch) const;
  // As SelectNeighbors(), but what is in `kept` stays.
  void FillUp(Room room, std::span<const Candidate> candidates, std::vector<Row>& kept,
              SearchScratch& scratch) const;
  // Links the row on level 0 with the nearest that a search finds, both ways, and with one of them
  // whatever it costs.
  void Relink(Row row, SearchScratch& scratch);
  bool Links(Row from, Row to) const;
  // Of the rows from that one of the set on.
  void VisitReachable(RowSet& reached, size_t from) const;

  const RowStore& rows_;
  const size_t m_;
  const size_t ef_construction_;
  const double level_scale_;
  const uint64_t seed_;

  Adjacency adjacency_;
  TracedMutex grow_mutex_;
  CodeStore codes_;  // Its growth is guarded; a row is encoded before the graph links to it.
  // Held while the entry point is made or raised to a higher level.
  TracedMutex entry_mutex_;
  std::shared_ptr<const RowSet> leaving_;  // Changes while nobody inserts.
};

}  // namespace vettore
