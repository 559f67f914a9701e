// One search's way through inverted lists: measuring their vectors, or estimating rows by their
// codes and measuring the most promising.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "base/cancel.h"
#include "index/candidate_pool.h"
#include "index/codes/product_quantizer.h"
#include "index/exact_scan.h"
#include "index/lists/ivf_list.h"
#include "index/top_k.h"

namespace vettore {

// Which rows a search admits. Borrows all.
struct RowFilter {
  const RowStore& rows;
  uint64_t version;
  const SlotBitmap* allowed;  // Null admits all.
  bool may_hold_dead;         // Some rows in lists are dead at that version.

  bool Admits(Row row) const {
    return (!may_hold_dead || rows.IsVisibleAt(row, version)) &&
           (allowed == nullptr || allowed->Contains(rows.slot(row)));
  }
};

// Externally synchronised.
class IvfListScan {
 public:
  struct Options {
    size_t k;
    // Candidates by code that are measured at most; of lists without codes 0.
    size_t depth;
    const PqTables* tables;  // Null for lists without codes; must outlive the scan.
    // Whether estimates are bounds: hardly any row is nearer than its estimate.
    bool is_bounded = false;
  };
  IvfListScan(const ScanSource& source, const RowFilter& filter, const Options& options)
      : source_(source),
        filter_(filter),
        tables_(options.tables),
        is_bounded_(options.is_bounded),
        k_(options.k),
        top_(options.k),
        exact_(source, top_),
        pool_(std::max<size_t>(options.depth, 1)) {}

  // Each returns the cancel token's status when that fires.

  // Rows that are measured whatever they are.
  absl::Status Rows(std::span<const Row> rows, const CancelToken& cancel) {
    return exact_.Rows(rows, filter_.allowed, cancel);
  }
  // offset, products: of the list's estimates; see IvfCoder and simd::PqLimit. next: the list after
  // it, which is fetched meanwhile; null when there is none.
  struct Step {
    const IvfList& list;
    float offset;
    float products;
    const IvfList* next;
  };
  absl::Status List(const Step& step, const CancelToken& cancel);

  // k are found, or more candidates than that.
  bool has_enough() const { return top_.size() + pool_.size() >= k_; }

  // Measures candidates; the up to k nearest hits, nearest first.
  absl::StatusOr<std::vector<Hit>> Finish(const CancelToken& cancel);

  // Measured or estimated so far.
  size_t distances() const { return exact_.distances() + estimated_ + measured_; }

 private:
  void Measure(const Step& step);
  void Estimate(const Step& step);
  // Of the candidates so far.
  void MeasureNearest();
  // Above it an estimate is of no interest.
  float limit() const;
  void Offer(Row row, float distance);
  void Fetch(Row row) const;

  const ScanSource source_;
  const RowFilter filter_;
  const PqTables* const tables_;
  const bool is_bounded_;
  const size_t k_;
  TopK top_;
  ExactScan exact_;
  CandidatePool pool_;
  size_t lists_ = 0;  // Scanned, of those with bounds.
  size_t since_poll_ = 0;
  size_t estimated_ = 0;
  size_t measured_ = 0;
};

}  // namespace vettore
