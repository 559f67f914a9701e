// Two systems over the same data, measured in turns, and the ratios of their figures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/ann_data.h"
#include "bench/peer_systems.h"
#include "types/json.h"

namespace vettore::bench {

// A built system and what building it took.
struct Contender {
  std::unique_ptr<PeerSystem> system;
  double build_cpu_s = 0;  // Of all threads.
  double build_wall_s = 0;
  size_t ram_bytes_per_vector = 0;  // As the system counts it.
  size_t rss_bytes_per_vector = 0;  // As the process grew, mapped files left out.
};

struct ComparisonOptions {
  size_t k = 10;
  size_t batch = 1;  // Queries asked together; latencies are those of a batch.
  std::vector<double> targets = {0.90, 0.95, 0.99};
  int repeats = 5;
  uint32_t most_ef = 4096;
};

// Builds it over the base on `threads` threads.
absl::StatusOr<Contender> BuildContender(std::unique_ptr<PeerSystem> system,
                                         const Matrix<float>& base, int threads);

// What is asked of both: a set of queries, its exact answers, and a filter or none.
struct Match {
  const AnnData& data;
  const std::string& queries_name;
  const Matrix<float>& queries;
  const Neighbors& truth;
  const RowFilter* filter = nullptr;
};

// Finds for each system the values of ef around the wanted recalls, then takes turns: every repeat
// passes all queries through one system at one ef, then through the other, on one pinned thread in
// its CPU time. Hands one JSON object to `emit` for each point of a curve ("suite": "ann-peers")
// and each target ("suite": "ann-ratio", the figures of `ours` over those of `peer`).
absl::Status Compare(Contender& ours, Contender& peer, const Match& match,
                     const ComparisonOptions& options, const std::function<void(Json)>& emit);

}  // namespace vettore::bench
