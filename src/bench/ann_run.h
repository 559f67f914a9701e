// The benchmark of the index kinds over one data set: builds, sweeps, measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "bench/ann_data.h"
#include "types/collection_config.h"
#include "types/json.h"

namespace vettore::bench {

struct AnnOptions {
  // "hnsw", "flat", "ivf", or "faiss:" and a factory string of FAISS.
  std::vector<std::string> kinds = {"hnsw", "flat"};
  // Swept by what searches a graph; FAISS's too.
  std::vector<uint32_t> ef_search = {10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512};
  // Swept by what probes lists; those that an index does not have so many of are left out.
  std::vector<uint32_t> nprobe = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  std::vector<IvfEncoding> ivf_encodings = {IvfEncoding::kFlat, IvfEncoding::kPq4,
                                            IvfEncoding::kPq8};  // Of ivf; an index for each.
  uint32_t nlist = 0;                                            // Of ivf; 0 follows the count.
  uint32_t m = HnswConfig{}.m;
  uint32_t ef_construction = HnswConfig{}.ef_construction;
  std::vector<Quantization> quantizations = {Quantization::kAuto};  // Of hnsw; one index for each.
  size_t k = 10;
  std::vector<int> threads = {1};  // That search together, one measurement for each.
  size_t batch = 1;                // Queries asked together.
  int build_threads = 0;           // 0: as many as the index takes.
  int repeats = 5;
  // Where an index that searches codes keeps the vectors, as the server does; in memory when empty.
  std::string vectors_folder = {};
};

// What a benchmark calls while it runs, from the thread that started it.
struct AnnEvents {
  std::function<void(const Json& line)> on_result = {};
  std::function<void(std::string_view text)> on_step = {};       // "building hnsw"
  std::function<void(size_t done, size_t total)> on_share = {};  // Of the step.
};

// InvalidArgument names the option, the allowed range and what was got. What depends on the data,
// such as whether a factory string fits its dimension, is seen by RunAnn().
absl::Status ValidateAnnOptions(const AnnOptions& options);

// For each index, set of queries, number of threads and value of what is swept: a warm-up, then
// `repeats` passes over all queries, and one result line ("suite": "ann"):
// data, vectors, dim, metric, queries, system, parameters, k, recall, threads, batch, repeats; qps
// with qps_min and qps_max over the repeats, p50_us and p99_us of a batch (medians over the
// repeats); build_s, build_cpu_s (of all threads), ram_bytes_per_vector; and MachineFields(). With
// one thread the searching thread is pinned to a core, qps and latencies are in its CPU time, and
// wall_qps stands beside them; with more they are by the clock on the wall. Exhaustive kinds, which
// are slow and do not vary, are passed once. data: with exact answers for k. Cancelled if `cancel`
// fires; InvalidArgument for an index that cannot be of this data.
absl::Status RunAnn(const AnnData& data, const AnnOptions& options, const AnnEvents& events,
                    const CancelToken& cancel);

}  // namespace vettore::bench
