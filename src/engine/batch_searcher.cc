#include "engine/batch_searcher.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/exceptions.h"
#include "base/status.h"
#include "base/strings.h"
#include "engine/read_validation.h"
#include "index/shared_loop.h"
#include "types/limits.h"

namespace vettore {
namespace {

// Searches made together: enough for the index to gain by it, few enough for several threads to
// share a batch of a hundred.
constexpr size_t kMostTogether = 32;

absl::StatusOr<std::vector<PreparedQuery>> PrepareAll(const SearchBatchRequest& request,
                                                      const CollectionConfig& config) {
  const size_t count = request.searches.size();
  if (count == 0 || count > limits::kBatchSearches) {
    return absl::InvalidArgumentError(
        StrCat("searches: 1 to ", limits::kBatchSearches, ", got ", count));
  }
  std::vector<PreparedQuery> queries;
  queries.reserve(count);
  uint64_t results = 0;
  for (const SearchRequest& search : request.searches) {
    absl::StatusOr<PreparedQuery> query = PrepareQuery(search, config);
    if (!query.ok()) return Annotate(query.status(), StrCat("searches[", queries.size(), "]"));
    queries.push_back(*std::move(query));
    results += search.k + search.offset;
  }
  if (results <= limits::kBatchResults) return queries;
  return absl::InvalidArgumentError(StrCat("searches: k + offset of all together at most ",
                                           limits::kBatchResults, ", got ", results));
}

// Consecutive searches that are made together.
struct Part {
  size_t begin;
  size_t end;
};

std::vector<Part> PartsOf(std::span<const SearchRequest> searches) {
  std::vector<Part> parts;
  for (size_t begin = 0; begin < searches.size();) {
    size_t end = begin + 1;
    while (end < searches.size() && AsksTheSame(searches[begin], searches[end])) ++end;
    const size_t count = (end - begin + kMostTogether - 1) / kMostTogether;
    for (size_t i = 0; i < count; ++i) {
      const size_t next = begin + (end - begin) / (count - i);
      parts.push_back({begin, next});
      begin = next;
    }
  }
  return parts;
}

// What the parts of a batch fill in. Thread-safe.
class Results {
 public:
  Results(size_t count, size_t max_bytes) : max_bytes_(max_bytes), results_(count) {}

  // What the results hold so far; the failure when a part has failed.
  absl::StatusOr<size_t> Bytes() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok()) return failure_;
    return bytes_;
  }
  void Keep(const Part& part, absl::StatusOr<Searcher::Found> found) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (found.ok() && bytes_ + found->bytes > max_bytes_) found = MoreThanAReplyHolds(max_bytes_);
    if (!found.ok()) return failure_.Update(found.status());
    bytes_ += found->bytes;
    std::move(found->results.begin(), found->results.end(),
              results_.begin() + static_cast<ptrdiff_t>(part.begin));
  }
  absl::StatusOr<std::vector<SearchResult>> Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok()) return failure_;
    return std::move(results_);
  }

 private:
  const size_t max_bytes_;

  absl::Mutex mutex_;
  std::vector<SearchResult> results_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

using Schedule = std::function<absl::Status(std::function<void()> task)>;

// Has a helper do one part of the loop, and come back behind what waits by then. Refused, the
// others do it all.
void CallHelper(const std::shared_ptr<SharedLoop>& loop, const Schedule& schedule) {
  CatchExceptions("call a helper", [&] {
    return schedule([loop, schedule] {
      if (loop->Help()) CallHelper(loop, schedule);
    });
  }).IgnoreError();
}

}  // namespace

absl::StatusOr<std::vector<SearchResult>> BatchSearcher::Search(const SearchBatchRequest& request,
                                                                const Helpers& helpers,
                                                                const CancelToken& cancel) const {
  const std::span<const SearchRequest> searches = request.searches;
  VETTORE_ASSIGN_OR_RETURN(const std::vector<PreparedQuery> queries,
                           PrepareAll(request, shard_.config));
  const std::vector<Part> parts = PartsOf(searches);
  Results results(searches.size(), request.max_bytes);
  const auto search = [&](size_t begin, size_t end) {
    for (const Part& part : std::span(parts).subspan(begin, end - begin)) {
      const absl::StatusOr<size_t> bytes = results.Bytes();
      if (!bytes.ok()) return;
      const size_t count = part.end - part.begin;
      results.Keep(
          part, searcher_.SearchTogether({.requests = searches.subspan(part.begin, count),
                                          .queries = std::span(queries).subspan(part.begin, count),
                                          .bytes_before = *bytes,
                                          .max_bytes = request.max_bytes},
                                         cancel));
    }
  };
  // Helpers may come when all is done, or never.
  std::shared_ptr<SharedLoop> loop;
  const auto call_helpers = [&] {
    const int useful = std::min(helpers.most, static_cast<int>(parts.size()) - 1);
    for (int i = 0; i < useful; ++i) CallHelper(loop, helpers.schedule);
  };
  loop = std::make_shared<SharedLoop>(
      SharedLoop::Options{.call_helpers = call_helpers, .action = "search a batch"});
  VETTORE_RETURN_IF_ERROR(loop->Run({.count = parts.size(), .grain = 1}, search));
  return results.Take();
}

}  // namespace vettore
