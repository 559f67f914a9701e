// A vector of a collection on a running server, asked as a benchmark asks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/connection.h"

namespace vettore {

// A query: a vector, and the point that it was stored in, which is left out of the answers: it
// would be found always.
struct LiveQuery {
  std::vector<float> vector;
  std::string self;  // The point's id, serialised; empty for a vector from elsewhere.
};

// The answers to one query, best first.
struct LiveAnswer {
  std::vector<std::string> ids;  // Serialised.
  std::vector<float> scores;
  double round_trip_us = 0;
  double server_us = 0;  // Of that, the search in the server's index.
};

// Immutable after Open; `connection` must outlive it.
class LiveCollection {
 public:
  // NotFound for a collection, or a vector of it, that does not exist; FailedPrecondition when it
  // holds no such vectors.
  static absl::StatusOr<LiveCollection> Open(const Connection& connection, const std::string& name,
                                             const std::string& vector_name);

  const v1::VectorConfig& config() const { return config_; }
  const v1::VectorStatus& status() const { return status_; }

  // Up to `count` stored vectors, chosen at random by a fixed seed, each point alike. Cancelled
  // when the user interrupts.
  absl::StatusOr<std::vector<LiveQuery>> Sample(size_t count) const;

  // The k best apart from the query's own point. ef_search: the server's default when absent; not
  // used by the exact search.
  enum class Mode { kApproximate, kExact };
  struct Question {
    size_t k = 10;
    std::optional<uint32_t> ef_search = std::nullopt;
    Mode mode = Mode::kApproximate;
  };
  absl::StatusOr<LiveAnswer> Ask(const LiveQuery& query, const Question& question) const;

 private:
  LiveCollection(const Connection& connection, std::string name)
      : connection_(connection), name_(std::move(name)) {}
  absl::StatusOr<std::vector<v1::PointId>> SampleIds(size_t count) const;

  const Connection& connection_;
  std::string name_;
  v1::VectorConfig config_;
  v1::VectorStatus status_;
};

// The share of the exact answers that were found. What scores as well as the last of them counts:
// equal scores are in no order. 1 where there is no exact answer.
enum class BetterScore { kSmaller, kLarger };
double LiveRecall(const LiveAnswer& exact, const LiveAnswer& found, BetterScore better);

}  // namespace vettore
