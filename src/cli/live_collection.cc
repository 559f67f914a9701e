#include "cli/live_collection.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <unordered_set>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "cli/collection_options.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr uint64_t kSampleSeed = 1;
// Vectors in one message: well below its size.
constexpr size_t kMessageFloats = limits::kMessageBytes / 16;

template <typename List>
const typename List::value_type* FindNamed(const List& list, const std::string& name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.name() == name; });
  return found == list.end() ? nullptr : &*found;
}

absl::Status CheckInterrupt() {
  return InterruptScope::Happened() ? InterruptedError("interrupted") : absl::OkStatus();
}

}  // namespace

absl::StatusOr<LiveCollection> LiveCollection::Open(const Connection& connection,
                                                    const std::string& name,
                                                    const std::string& vector_name) {
  VETTORE_ASSIGN_OR_RETURN(const std::optional<v1::CollectionInfo> info,
                           FindCollection(connection, name));
  if (!info) {
    return absl::NotFoundError(
        StrCat("there is no collection '", name, "'; vettore collection list shows what there is"));
  }
  LiveCollection collection(connection, name);
  const v1::VectorConfig* const config = FindNamed(info->config().vectors(), vector_name);
  const v1::VectorStatus* const status = FindNamed(info->vectors(), vector_name);
  if (config == nullptr || status == nullptr) {
    std::string names;
    for (const v1::VectorConfig& vector : info->config().vectors()) {
      StrAppend(&names, names.empty() ? "" : ", ", "'", vector.name(), "'");
    }
    return absl::NotFoundError(StrCat("collection '", name, "' has no vector '", vector_name,
                                      "'; --vector-name: it has ", names.empty() ? "none" : names));
  }
  if (status->live() == 0) {
    return absl::FailedPreconditionError(
        StrCat("collection '", name, "' holds no vectors that could be searched"));
  }
  collection.config_ = *config;
  collection.status_ = *status;
  return collection;
}

// Reservoir sampling (Vitter 1985, algorithm R) over the ids alone, which are light to read.
absl::StatusOr<std::vector<v1::PointId>> LiveCollection::SampleIds(size_t count) const {
  std::mt19937_64 random(kSampleSeed);
  std::vector<v1::PointId> chosen;
  uint64_t seen = 0;
  v1::ScrollRequest request;
  request.set_collection(name_);
  request.set_limit(limits::kSearchLimit);
  while (true) {
    VETTORE_RETURN_IF_ERROR(CheckInterrupt());
    VETTORE_ASSIGN_OR_RETURN(
        v1::ScrollResponse page,
        connection_.Call(connection_.points(), &v1::Points::Stub::Scroll, std::as_const(request)));
    for (v1::StoredPoint& point : *page.mutable_points()) {
      const uint64_t place = seen < count ? seen : random() % (seen + 1);
      if (seen < count) chosen.emplace_back();
      if (place < count) chosen[place] = std::move(*point.mutable_id());
      ++seen;
    }
    if (!page.has_next()) return chosen;
    *request.mutable_from_id() = page.next();
  }
}

absl::StatusOr<std::vector<LiveQuery>> LiveCollection::Sample(size_t count) const {
  VETTORE_ASSIGN_OR_RETURN(const std::vector<v1::PointId> ids, SampleIds(count));
  const size_t at_once = std::max<size_t>(1, kMessageFloats / config_.dimension());
  std::vector<LiveQuery> queries;
  for (size_t begin = 0; begin < ids.size(); begin += at_once) {
    VETTORE_RETURN_IF_ERROR(CheckInterrupt());
    v1::GetRequest request;
    request.set_collection(name_);
    request.mutable_selection()->set_vectors(true);
    request.mutable_selection()->add_vector_names(config_.name());
    const size_t end = std::min(begin + at_once, ids.size());
    for (size_t i = begin; i < end; ++i) *request.add_ids() = ids[i];
    VETTORE_ASSIGN_OR_RETURN(
        const v1::GetResponse response,
        connection_.Call(connection_.points(), &v1::Points::Stub::Get, request));
    for (const v1::StoredPoint& point : response.points()) {
      // A point may lack the vector, or be gone by now.
      if (point.vectors().empty()) continue;
      const auto& values = point.vectors(0).values();
      queries.push_back({.vector = std::vector<float>(values.begin(), values.end()),
                         .self = point.id().SerializeAsString()});
    }
  }
  return queries;
}

absl::StatusOr<LiveAnswer> LiveCollection::Ask(const LiveQuery& query,
                                               const Question& question) const {
  v1::SearchRequest request;
  request.set_collection(name_);
  request.set_vector_name(config_.name());
  request.mutable_vector()->mutable_values()->Add(query.vector.begin(), query.vector.end());
  request.set_k(question.k + (query.self.empty() ? 0 : 1));
  request.set_exact(question.mode == Mode::kExact);
  if (question.ef_search) request.set_ef_search(*question.ef_search);
  const absl::Time begin = absl::Now();
  VETTORE_ASSIGN_OR_RETURN(
      const v1::SearchResponse response,
      connection_.Call(connection_.search(), &v1::Search::Stub::Search, request));
  LiveAnswer answer;
  answer.round_trip_us = absl::ToDoubleMicroseconds(absl::Now() - begin);
  answer.server_us = static_cast<double>(response.trace().search_us());
  for (const v1::ScoredPoint& found : response.points()) {
    std::string id = found.point().id().SerializeAsString();
    if (id == query.self || answer.ids.size() == question.k) continue;
    answer.ids.push_back(std::move(id));
    answer.scores.push_back(found.score());
  }
  return answer;
}

double LiveRecall(const LiveAnswer& exact, const LiveAnswer& found, BetterScore better) {
  if (exact.ids.empty()) return 1;
  const std::unordered_set<std::string> wanted(exact.ids.begin(), exact.ids.end());
  const float last = exact.scores.back();
  const float slack = 1e-6F * std::abs(last);
  size_t hits = 0;
  for (size_t i = 0; i < found.ids.size(); ++i) {
    const bool as_good = better == BetterScore::kSmaller ? found.scores[i] <= last + slack
                                                         : found.scores[i] >= last - slack;
    if (as_good || wanted.contains(found.ids[i])) ++hits;
  }
  return static_cast<double>(std::min(hits, exact.ids.size())) /
         static_cast<double>(exact.ids.size());
}

}  // namespace vettore
