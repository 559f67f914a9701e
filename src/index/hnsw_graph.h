// The HNSW graph of Malkov & Yashunin (2018) over the rows of a store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/cancel.h"
#include "index/adjacency.h"
#include "index/row_store.h"
#include "index/search_scratch.h"
#include "index/traced_mutex.h"
#include "index/vector_distance.h"
#include "types/collection_config.h"

namespace vettore {

// A row is inserted once and stays; whether it is dead, or whose it is, is not the graph's
// business. Any number of insertions and searches run at once: searches take no lock, insertions
// lock one list at a time. Thread-safe.
//
// rows: must outlive the graph; a row keeps its vector for as long as a graph that holds it can be
// reached.
class HnswGraph {
 public:
  // seed: of the levels, which depend on it and on the row only.
  HnswGraph(const RowStore& rows, const VectorDistance& distance, const HnswConfig& config,
            uint64_t seed);

  // Algorithm 1, with the neighbour selection of Algorithm 4. The row is not in the graph yet.
  // ResourceExhausted when there is no memory; the graph is unchanged then.
  absl::Status Insert(Row row, SearchScratch& scratch);

  // Algorithm 5: leaves the up to `ef` nearest rows that it met in scratch.pool, nearest first.
  // query: (dim). `scratch` counts distances and hops on. Returns the cancel token's status when
  // that fires.
  absl::Status Search(const float* query, size_t ef, const CancelToken& cancel,
                      SearchScratch& scratch) const;

  struct FilteredSearch {
    size_t ef = 0;
    absl::FunctionRef<bool(Row)> admits;
    size_t max_distances = 0;  // Stops after about that many, with what it has.
  };
  // The same, but only rows that the filter admits enter the pool; the others are passed through.
  // It goes on until the pool is full of admitted rows or the graph, or the distances, are
  // exhausted.
  absl::Status Search(const float* query, const FilteredSearch& filtered, const CancelToken& cancel,
                      SearchScratch& scratch) const;

  size_t memory_bytes() const { return adjacency_.memory_bytes(); }

 private:
  int LevelOf(Row row) const;
  // Greedy descent from the entry point to just above `level`; the candidate where the search of
  // that level begins.
  Candidate Descend(const float* query, Adjacency::EntryPoint entry, int level,
                    SearchScratch& scratch) const;
  // Algorithm 2. Leaves the nearest `ef` in scratch.pool.
  absl::Status SearchLevel(const float* query, Candidate start, int level, size_t ef,
                           const CancelToken& cancel, SearchScratch& scratch) const;
  // Measures the neighbours of `row` that were not visited yet, into scratch.fresh.
  void Expand(const float* query, Row row, int level, SearchScratch& scratch) const;
  void Measure(const float* query, std::span<Candidate> candidates) const;
  void InsertBelow(Row row, int level, Adjacency::EntryPoint entry, SearchScratch& scratch);
  // Algorithm 4: keeps up to `most` of `candidates` (nearest first) that lie in different
  // directions; when those are fewer than `least`, the nearest of the others join them.
  void SelectNeighbors(size_t least, size_t most, std::vector<Candidate>& candidates) const;
  bool IsNearerToAny(const Candidate& candidate, std::span<const Candidate> kept) const;
  void LinkBack(Row row, int level, Candidate neighbor);

  const RowStore& rows_;
  const VectorDistance distance_;
  const size_t m_;
  const size_t ef_construction_;
  const double level_scale_;
  const uint64_t seed_;

  Adjacency adjacency_;
  // Held while the entry point is made or raised to a higher level.
  TracedMutex entry_mutex_;
};

}  // namespace vettore
