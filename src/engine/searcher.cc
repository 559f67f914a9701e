#include "engine/searcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status.h"
#include "engine/filter_evaluation.h"
#include "engine/point_fetch.h"

namespace vettore {
namespace {

using Clock = std::chrono::steady_clock;

absl::Duration Since(Clock::time_point start) { return absl::FromChrono(Clock::now() - start); }

// In client-facing scores, so that the score of a result, given as a threshold, admits that result.
bool IsNoWorse(Metric metric, float score, float threshold) {
  switch (metric) {
    case Metric::kL2:
      return score <= threshold;
    case Metric::kInnerProduct:
    case Metric::kCosine:
      return score >= threshold;
  }
  return false;
}

}  // namespace

absl::StatusOr<SearchResult> Searcher::Search(const SearchRequest& request,
                                              const CancelToken& cancel) const {
  VETTORE_ASSIGN_OR_RETURN(const PreparedQuery query, PrepareQuery(request, shard_.config));
  return ReadConsistently(shard_, [&](ReadConflict& conflict) {
    shard_.state_mutex.AssertReaderHeld();
    return SearchLocked(request, query, cancel, conflict);
  });
}

absl::StatusOr<SearchResult> Searcher::SearchLocked(const SearchRequest& request,
                                                    const PreparedQuery& query,
                                                    const CancelToken& cancel,
                                                    ReadConflict& conflict) const {
  VETTORE_RETURN_IF_ERROR(shard_.failure);
  SearchResult result;
  IndexSearchOptions options{.k = static_cast<size_t>(request.k + request.offset),
                             .ef_search = request.ef_search,
                             .nprobe = request.nprobe,
                             .exact = request.exact};
  const auto filter_start = Clock::now();
  FilterResult matches;
  if (request.filter) {
    VETTORE_ASSIGN_OR_RETURN(matches, EvaluateFilter(shard_, *request.filter, cancel, conflict));
    options.allowed = &matches.slots;
    options.allowed_count = matches.count;
  }
  result.filter_time = Since(filter_start);

  const auto search_start = Clock::now();
  IndexSearchTrace trace{.plan = "exact scan"};
  std::vector<Neighbor> nearest;
  if (!request.filter || matches.count > 0) {
    VETTORE_ASSIGN_OR_RETURN(nearest, FindNearest(query, options, cancel, trace));
  }
  result.search_time = Since(search_start);
  result.plan = std::string(trace.plan);
  result.distances = trace.distances;

  const Metric metric = shard_.config.vectors[query.ordinal].metric;
  std::vector<Slot> winners;
  std::vector<float> scores;
  for (size_t i = request.offset; i < nearest.size(); ++i) {
    const float score = ScoreOfDistance(metric, nearest[i].distance);
    if (request.score_threshold && !IsNoWorse(metric, score, *request.score_threshold)) break;
    winners.push_back(nearest[i].slot);
    scores.push_back(score);
  }
  VETTORE_ASSIGN_OR_RETURN(std::vector<PointRead> points,
                           FetchPoints(shard_, winners, request.selection, cancel, conflict));
  for (size_t i = 0; i < points.size(); ++i) {
    result.points.push_back({.score = scores[i], .point = std::move(points[i])});
  }
  return result;
}

absl::StatusOr<std::vector<Neighbor>> Searcher::FindNearest(const PreparedQuery& query,
                                                            IndexSearchOptions options,
                                                            const CancelToken& cancel,
                                                            IndexSearchTrace& trace) const {
  const VectorIndex& index = *shard_.indexes[query.ordinal];
  const size_t wanted = options.k;
  const size_t most = wanted + kMaxTies;
  std::vector<Neighbor> nearest;
  // One more than wanted shows whether the last place is tied.
  for (options.k = wanted + 1;; options.k = std::min(most, wanted + (options.k - wanted) * 8)) {
    VETTORE_ASSIGN_OR_RETURN(nearest, index.Search(query.values, options, cancel, &trace));
    const bool is_cut_in_tie =
        nearest.size() == options.k && nearest[wanted - 1].distance == nearest.back().distance;
    if (!is_cut_in_tie || options.k == most) break;
  }
  const IdTable* const ids = &shard_.ids;  // Read under the lock that is held here.
  for (auto tie = nearest.begin(); tie != nearest.end();) {
    const auto end = std::find_if(tie, nearest.end(), [&](const Neighbor& neighbor) {
      return neighbor.distance != tie->distance;
    });
    std::sort(tie, end, [&](const Neighbor& a, const Neighbor& b) {
      return ids->id(a.slot) < ids->id(b.slot);
    });
    // A distance that is no number equals not even itself.
    tie = std::max(end, tie + 1);
  }
  if (nearest.size() > wanted) nearest.resize(wanted);
  return nearest;
}

}  // namespace vettore
