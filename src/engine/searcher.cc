#include "engine/searcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
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

// What of the nearest is returned.
struct Winners {
  std::vector<Slot> slots;
  std::vector<float> scores;
};

Winners WinnersOf(const SearchRequest& request, Metric metric, std::span<const Neighbor> nearest) {
  Winners winners;
  for (size_t i = request.offset; i < nearest.size(); ++i) {
    const float score = ScoreOfDistance(metric, nearest[i].distance);
    if (request.score_threshold && !IsNoWorse(metric, score, *request.score_threshold)) break;
    winners.slots.push_back(nearest[i].slot);
    winners.scores.push_back(score);
  }
  return winners;
}

}  // namespace

bool AsksTheSame(const SearchRequest& a, const SearchRequest& b) {
  return a.vector_name == b.vector_name && a.k + a.offset == b.k + b.offset &&
         a.ef_search == b.ef_search && a.nprobe == b.nprobe && a.exact == b.exact &&
         a.filter == b.filter;
}

absl::Status MoreThanAReplyHolds(size_t max_bytes) {
  return absl::ResourceExhaustedError(
      StrCat("searches: the vectors and payloads of all results are more than a reply of ",
             max_bytes, " bytes holds; ask for fewer searches, or select less, at a time"));
}

absl::StatusOr<SearchResult> Searcher::Search(const SearchRequest& request,
                                              const CancelToken& cancel) const {
  VETTORE_ASSIGN_OR_RETURN(const PreparedQuery query, PrepareQuery(request, shard_.config));
  VETTORE_ASSIGN_OR_RETURN(Found found, SearchTogether({.requests = {&request, 1},
                                                        .queries = {&query, 1},
                                                        .bytes_before = 0,
                                                        .max_bytes = request.selection.max_bytes},
                                                       cancel));
  return std::move(found.results[0]);
}

absl::StatusOr<Searcher::Found> Searcher::SearchTogether(const Together& together,
                                                         const CancelToken& cancel) const {
  return ReadConsistently(shard_, [&](ReadConflict& conflict) {
    shard_.state_mutex.AssertReaderHeld();
    return SearchLocked(together, cancel, conflict);
  });
}

absl::StatusOr<Searcher::Found> Searcher::SearchLocked(const Together& together,
                                                       const CancelToken& cancel,
                                                       ReadConflict& conflict) const {
  VETTORE_RETURN_IF_ERROR(shard_.failure);
  const SearchRequest& first = together.requests[0];
  const size_t count = together.requests.size();
  IndexSearchOptions options{.k = static_cast<size_t>(first.k + first.offset),
                             .ef_search = first.ef_search,
                             .nprobe = first.nprobe,
                             .exact = first.exact};
  const auto filter_start = Clock::now();
  FilterResult matches;
  if (first.filter) {
    VETTORE_ASSIGN_OR_RETURN(matches, EvaluateFilter(shard_, *first.filter, cancel, conflict));
    options.allowed = &matches.slots;
    options.allowed_count = matches.count;
  }
  const absl::Duration filter_time = Since(filter_start);

  const auto search_start = Clock::now();
  std::vector<IndexSearchTrace> traces(count, {.plan = "exact scan"});
  Nearest nearest(count);
  if (!first.filter || matches.count > 0) {
    VETTORE_ASSIGN_OR_RETURN(nearest, FindNearest(together.queries, options, cancel, traces));
  }
  const absl::Duration search_time = Since(search_start);

  const Metric metric = shard_.config.vectors[together.queries[0].ordinal].metric;
  Found found;
  for (size_t i = 0; i < count; ++i) {
    const SearchRequest& request = together.requests[i];
    const Winners winners = WinnersOf(request, metric, nearest[i]);
    VETTORE_ASSIGN_OR_RETURN(
        FetchedPoints fetched,
        FetchPoints(shard_, winners.slots, request.selection, cancel, conflict));
    found.bytes += fetched.bytes;
    if (together.bytes_before + found.bytes > together.max_bytes) {
      return MoreThanAReplyHolds(together.max_bytes);
    }
    SearchResult& result = found.results.emplace_back();
    for (size_t j = 0; j < fetched.points.size(); ++j) {
      result.points.push_back({.score = winners.scores[j], .point = std::move(fetched.points[j])});
    }
    result.plan = std::string(traces[i].plan);
    result.distances = traces[i].distances;
    result.filter_time = filter_time;
    result.search_time = search_time;
  }
  return found;
}

absl::StatusOr<Searcher::Nearest> Searcher::FindNearest(std::span<const PreparedQuery> queries,
                                                        const IndexSearchOptions& options,
                                                        const CancelToken& cancel,
                                                        std::span<IndexSearchTrace> traces) const {
  const VectorIndex& index = *shard_.indexes[queries[0].ordinal];
  IndexSearchOptions wider = options;
  // One more than wanted shows whether the last place is tied.
  ++wider.k;
  Nearest nearest(queries.size());
  if (queries.size() == 1) {
    VETTORE_ASSIGN_OR_RETURN(nearest[0],
                             index.Search(queries[0].values, wider, cancel, &traces[0]));
  } else {
    std::vector<std::span<const float>> values;
    for (const PreparedQuery& query : queries) values.emplace_back(query.values);
    VETTORE_ASSIGN_OR_RETURN(nearest, index.SearchBatch(values, wider, cancel, traces));
  }
  for (size_t i = 0; i < queries.size(); ++i) {
    VETTORE_RETURN_IF_ERROR(OrderTies(queries[i], options, cancel, nearest[i]));
  }
  return nearest;
}

absl::Status Searcher::OrderTies(const PreparedQuery& query, IndexSearchOptions options,
                                 const CancelToken& cancel, std::vector<Neighbor>& nearest) const {
  const VectorIndex& index = *shard_.indexes[query.ordinal];
  const size_t wanted = options.k;
  const size_t most = wanted + kMaxTies;
  for (options.k = wanted + 1;;) {
    const bool is_cut_in_tie =
        nearest.size() == options.k && nearest[wanted - 1].distance == nearest.back().distance;
    if (!is_cut_in_tie || options.k == most) break;
    options.k = std::min(most, wanted + (options.k - wanted) * 8);
    VETTORE_ASSIGN_OR_RETURN(nearest, index.Search(query.values, options, cancel, nullptr));
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
  return absl::OkStatus();
}

}  // namespace vettore
