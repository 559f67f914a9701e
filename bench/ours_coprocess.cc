// Ours for a comparison that another process leads (bench/ann_peers.py): writes the data set as
// NumPy files, builds an index over it, and makes a pass over the queries for each line of standard
// input.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "base/status.h"
#include "base/strings.h"
#include "bench/ann_data.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/peer_systems.h"
#include "bench/truth_cache.h"
#include "types/metric.h"

namespace vettore::bench {
namespace {

struct Options {
  std::string data;
  std::string queries;  // The name of a set of queries; empty: the first.
  std::string folder;
  uint32_t m = 16;
  uint32_t ef_construction = HnswConfig{}.ef_construction;
  size_t k = 10;
};

// Version 1 of the .npy format.
template <typename T>
absl::Status WriteNpy(const std::filesystem::path& path, std::string_view type,
                      const Matrix<T>& matrix) {
  std::string header = StrCat("{'descr': '", type, "', 'fortran_order': False, 'shape': (",
                              matrix.count, ", ", matrix.dim, "), }");
  constexpr size_t kHeader = 118;
  header.resize(kHeader - 1, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(kHeader) << '\0' << header;
  file.write(reinterpret_cast<const char*>(matrix.values.data()),
             static_cast<std::streamsize>(matrix.values.size() * sizeof(T)));
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::ResourceExhaustedError(StrCat(path.string(), ": it could not be written"));
}

absl::StatusOr<QuerySet> Choose(const AnnData& data, const std::string& name) {
  for (const QuerySet& set : data.query_sets) {
    if (name.empty() || set.name == name) return set;
  }
  return absl::NotFoundError(StrCat(data.name, " has no queries '", name, "'"));
}

absl::StatusOr<Json> PassAt(PeerSystem& ours, const AnnData& data, const QuerySet& set,
                            std::pair<size_t, uint32_t> k_and_ef) {
  const auto [k, ef] = k_and_ef;
  const PassShape shape{.queries = set.vectors.count, .k = k};
  VETTORE_ASSIGN_OR_RETURN(
      const Pass pass, RunPass(shape, [&](size_t first, std::span<std::vector<int32_t>> rows) {
        return ours.Search({.queries = set.vectors, .first = first, .k = k, .ef = ef}, rows);
      }));
  return Json{{"recall", RecallAtK({.base = data.base,
                                    .queries = set.vectors,
                                    .metric = data.metric,
                                    .truth = set.truth,
                                    .k = k},
                                   pass.found)},
              {"qps", static_cast<double>(set.vectors.count) / pass.cpu_s},
              {"p50_us", Quantile(pass.latencies_us, 0.5)},
              {"p99_us", Quantile(pass.latencies_us, 0.99)}};
}

absl::Status Serve(const Options& options) {
  AnnDataOptions loading;
  if (const char* datasets = std::getenv("VETTORE_DATASETS_DIR")) {
    loading.datasets_directory = datasets;
  }
  VETTORE_ASSIGN_OR_RETURN(AnnData data, LoadAnnData(options.data, loading));
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  VETTORE_RETURN_IF_ERROR(
      EnsureTruth(data, options.k, {.threads = threads}, DefaultTruthDirectory()));
  VETTORE_ASSIGN_OR_RETURN(const QuerySet set, Choose(data, options.queries));
  const std::filesystem::path folder = options.folder;
  VETTORE_RETURN_IF_ERROR(WriteNpy(folder / "base.npy", "<f4", data.base));
  VETTORE_RETURN_IF_ERROR(WriteNpy(folder / "queries.npy", "<f4", set.vectors));
  VETTORE_RETURN_IF_ERROR(WriteNpy(folder / "truth.npy", "<i4", set.truth));

  VectorConfig config;
  config.dimension = static_cast<uint32_t>(data.base.dim);
  config.metric = data.metric;
  config.index = HnswConfig{.m = options.m, .ef_construction = options.ef_construction};
  const std::unique_ptr<PeerSystem> ours = MakeVettoreSystem(config);
  const double cpu_before = ProcessCpuSeconds();
  VETTORE_RETURN_IF_ERROR(ours->Build(data.base, 1));
  Json ready = {{"data", data.name},
                {"queries", set.name},
                {"metric", std::string(NameOf(data.metric))},
                {"system", ours->name()},
                {"build_cpu_s", ProcessCpuSeconds() - cpu_before},
                {"ram_bytes_per_vector", ours->memory_bytes() / data.base.count}};
  ready.update(MachineFields());
  std::cout << ready << std::endl;

  const PinnedThread pinned;
  for (std::string line; std::getline(std::cin, line);) {
    uint32_t ef = 0;
    if (!absl::SimpleAtoi(line, &ef) || ef == 0) {
      return absl::InvalidArgumentError(StrCat("wanted a value of ef_search, got '", line, "'"));
    }
    VETTORE_ASSIGN_OR_RETURN(const Json answer, PassAt(*ours, data, set, {options.k, ef}));
    std::cout << answer << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace vettore::bench

int main(int argc, char** argv) {
  vettore::bench::Options options;
  CLI::App app(
      "Builds Vettore's graph over a data set on one thread, writes base.npy, queries.npy and "
      "truth.npy to a folder, prints what it built, then answers each line of standard input, a "
      "value of ef_search, with the figures of a pass over the queries. bench/ann_peers.py runs "
      "it.");
  app.add_option("data", options.data, "As `vettore bench ann` takes it")->required();
  app.add_option("folder", options.folder, "For the NumPy files")->required();
  app.add_option("--queries", options.queries, "Which set of queries; default: the first");
  app.add_option("--m", options.m, "Neighbours of a node")->check(CLI::Range(4, 128));
  app.add_option("--ef-construction", options.ef_construction, "Candidates of an insertion")
      ->check(CLI::Range(4, 4096));
  app.add_option("--k", options.k, "Neighbours asked for")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = vettore::bench::Serve(options); !status.ok()) {
    std::cerr << "error: " << status.message() << '\n';
    return 1;
  }
}
