// Recall, speed, build time and memory of the indexes against exact truth, as JSON lines.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/status.h"
#include "bench/ann_data.h"
#include "bench/machine.h"
#include "index/vector_distance.h"
#include "index/vector_index.h"
#include "nlohmann/json.hpp"
#include "simd/kernels.h"

namespace vettore::bench {
namespace {

using Seconds = std::chrono::duration<double>;

struct Options {
  std::vector<std::string> directories;
  std::vector<uint32_t> ef_search = {16, 32, 64, 128, 256, 512};
  uint32_t m = 16;
  uint32_t ef_construction = 200;
  size_t k = 10;
  int repeats = 5;
  std::vector<int> threads = {1,
                              static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))};
};

// An index over the whole base, and what building it took.
struct Built {
  std::string system;
  std::unique_ptr<VectorIndex> index;
  double build_s = 0;
};

absl::StatusOr<Built> Build(const std::string& system, const IndexConfig& config,
                            const AnnData& data) {
  VectorConfig vector;
  vector.dimension = static_cast<uint32_t>(data.base.dim);
  vector.metric = data.metric;
  vector.index = config;
  Built built;
  built.system = system;
  VETTORE_ASSIGN_OR_RETURN(built.index, MakeVectorIndex(vector));
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < data.base.count; ++i) {
    VETTORE_RETURN_IF_ERROR(
        built.index->Put(static_cast<Slot>(i), {data.base.row(i), data.base.dim}));
  }
  VETTORE_RETURN_IF_ERROR(built.index->WaitUntilIndexed(CancelToken()));
  built.build_s = Seconds(std::chrono::steady_clock::now() - begin).count();
  return built;
}

// One pass over the queries.
struct Pass {
  double seconds = 0;
  std::vector<double> latencies_us;  // By query.
  std::vector<std::vector<Neighbor>> found;
};

absl::StatusOr<Pass> RunQueries(const VectorIndex& index, const Matrix<float>& queries,
                                const IndexSearchOptions& options, int threads) {
  Pass pass;
  pass.latencies_us.resize(queries.count);
  pass.found.resize(queries.count);
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto answer = [&] {
    for (size_t i = next++; i < queries.count && !failed; i = next++) {
      const auto begin = std::chrono::steady_clock::now();
      auto found = index.Search({queries.row(i), queries.dim}, options, CancelToken(), nullptr);
      pass.latencies_us[i] = Seconds(std::chrono::steady_clock::now() - begin).count() * 1e6;
      if (!found.ok()) {
        failed = true;
      } else {
        pass.found[i] = *std::move(found);
      }
    }
  };
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(answer);
  answer();
  for (std::thread& worker : workers) worker.join();
  pass.seconds = Seconds(std::chrono::steady_clock::now() - begin).count();
  if (failed) return absl::InternalError("a search failed");
  return pass;
}

// The share of the k nearest that was found. What is as near as the k-th exact answer counts: equal
// distances are in no order.
double RecallAtK(const AnnData& data, const QuerySet& set, const Pass& pass, size_t k) {
  const VectorDistance distance(data.metric, data.base.dim);
  size_t hits = 0;
  for (size_t i = 0; i < set.vectors.count; ++i) {
    const float* const query = set.vectors.row(i);
    const auto kth = static_cast<size_t>(set.truth.row(i)[k - 1]);
    const float farthest = distance(query, data.base.row(kth));
    const float limit = farthest + 1e-6F * std::abs(farthest);
    for (const Neighbor& neighbor : pass.found[i]) {
      hits += distance(query, data.base.row(neighbor.slot)) <= limit ? 1 : 0;
    }
  }
  return static_cast<double>(hits) / static_cast<double>(k * set.vectors.count);
}

double Quantile(std::vector<double> values, double q) {
  const auto at = static_cast<ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

struct Setting {
  nlohmann::json parameters;
  IndexSearchOptions search;
  int threads = 1;
};

absl::Status Measure(const AnnData& data, const Built& built, const QuerySet& set,
                     const Setting& setting, int repeats) {
  std::vector<double> qps;
  std::vector<double> p50;
  std::vector<double> p99;
  double recall = 0;
  for (int repeat = -1; repeat < repeats; ++repeat) {
    VETTORE_ASSIGN_OR_RETURN(
        const Pass pass, RunQueries(*built.index, set.vectors, setting.search, setting.threads));
    if (repeat < 0) continue;  // Warm-up.
    qps.push_back(static_cast<double>(set.vectors.count) / pass.seconds);
    p50.push_back(Quantile(pass.latencies_us, 0.5));
    p99.push_back(Quantile(pass.latencies_us, 0.99));
    recall = RecallAtK(data, set, pass, setting.search.k);
  }
  const IndexStats stats = built.index->Stats();
  std::cout << nlohmann::json{{"suite", "ann"},
                              {"data", data.name},
                              {"queries", set.name},
                              {"system", built.system},
                              {"parameters", setting.parameters},
                              {"k", setting.search.k},
                              {"recall", recall},
                              {"qps", Quantile(qps, 0.5)},
                              {"qps_min", Quantile(qps, 0)},
                              {"qps_max", Quantile(qps, 1)},
                              {"p50_us", Quantile(p50, 0.5)},
                              {"p99_us", Quantile(p99, 0.5)},
                              {"repeats", repeats},
                              {"threads", setting.threads},
                              {"build_s", built.build_s},
                              {"ram_bytes_per_vector", stats.memory_bytes / data.base.count},
                              {"cpu", CpuName()},
                              {"isa", simd::NameOf(simd::Active().set)}}
            << std::endl;
  return absl::OkStatus();
}

absl::Status MeasureData(const std::string& directory, const Options& options) {
  VETTORE_ASSIGN_OR_RETURN(const AnnData data, ReadAnnData(directory));
  const HnswConfig config{.m = options.m, .ef_construction = options.ef_construction};
  VETTORE_ASSIGN_OR_RETURN(const Built hnsw, Build("vettore-hnsw", config, data));
  VETTORE_ASSIGN_OR_RETURN(const Built flat, Build("vettore-flat", FlatConfig{}, data));
  for (const QuerySet& set : data.query_sets) {
    if (options.k > set.truth.dim) {
      return absl::InvalidArgumentError("--k: the data set holds fewer exact answers");
    }
    for (const int threads : options.threads) {
      for (const uint32_t ef : options.ef_search) {
        const Setting setting{.parameters = {{"m", options.m},
                                             {"ef_construction", options.ef_construction},
                                             {"ef_search", ef}},
                              .search = {.k = options.k, .ef_search = ef},
                              .threads = threads};
        VETTORE_RETURN_IF_ERROR(Measure(data, hnsw, set, setting, options.repeats));
      }
      Setting setting{.parameters = nlohmann::json::object(), .search = {}, .threads = threads};
      setting.search.k = options.k;
      VETTORE_RETURN_IF_ERROR(Measure(data, flat, set, setting, 1));
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace vettore::bench

int main(int argc, char** argv) {
  vettore::bench::Options options;
  CLI::App app("Recall and speed of the vector indexes. Data sets: bench/prepare-data.");
  app.add_option("directories", options.directories, "Directories of .npy files")->required();
  app.add_option("--ef-search", options.ef_search, "Candidates kept by a search")->delimiter(',');
  app.add_option("--m", options.m, "Neighbours of a node");
  app.add_option("--ef-construction", options.ef_construction, "Candidates kept by an insertion");
  app.add_option("--k", options.k, "Neighbours asked for")->check(CLI::PositiveNumber);
  app.add_option("--repeats", options.repeats, "Timed passes")->check(CLI::PositiveNumber);
  app.add_option("--threads", options.threads, "Searching threads")->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  for (const std::string& directory : options.directories) {
    if (const absl::Status status = vettore::bench::MeasureData(directory, options); !status.ok()) {
      std::cerr << status.message() << '\n';
      return 1;
    }
  }
}
