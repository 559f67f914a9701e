// Inverted lists of several kinds over one data set, searched in turns: recall and speed by nprobe,
// training time and memory.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/strings.h"
#include "bench/ann_data.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "bench/truth_cache.h"
#include "index/vector_index.h"
#include "types/json.h"

namespace vettore::bench {
namespace {

struct Options {
  std::string data;
  std::vector<std::string> kinds = {"flat", "pq4", "pq8", "rabitq"};
  std::vector<uint32_t> nprobes = {4, 8, 16, 32, 64};
  uint32_t nlist = 0;
  size_t k = 10;
  size_t batch = 1;
  size_t repeats = 5;
  std::string vectors_folder;
};

// A kind that is measured, and its passes by nprobe.
struct System {
  std::string kind;
  std::unique_ptr<VectorIndex> index = nullptr;
  double build_cpu_s = 0;
  std::vector<std::vector<double>> qps = {};
  std::vector<double> recall = {};
};

// ENCODING, ENCODING:PQ_M or ENCODING:PQ_M:opq.
absl::StatusOr<IvfConfig> ParseKind(const std::string& kind, uint32_t nlist) {
  const std::vector<std::string> parts = absl::StrSplit(kind, ':');
  IvfConfig ivf{.nlist = nlist};
  VETTORE_ASSIGN_OR_RETURN(ivf.encoding, ParseIvfEncoding(parts[0]));
  const bool has_number = parts.size() < 2 || absl::SimpleAtoi(parts[1], &ivf.pq_m);
  ivf.opq = parts.size() == 3;
  if (parts.size() > 3 || !has_number || (ivf.opq && parts[2] != "opq")) {
    return absl::InvalidArgumentError(
        StrCat("--kinds: wanted ENCODING, ENCODING:PQ_M or ENCODING:PQ_M:opq, got '", kind, "'"));
  }
  return ivf;
}

absl::StatusOr<System> Build(const AnnData& data, const std::string& kind, const Options& options) {
  VectorConfig config;
  config.dimension = static_cast<uint32_t>(data.base.dim);
  config.metric = data.metric;
  VETTORE_ASSIGN_OR_RETURN(config.index, ParseKind(kind, options.nlist));
  CollectionConfig collection;
  collection.vectors.push_back(config);
  VETTORE_RETURN_IF_ERROR(ValidateCollectionConfig(collection));
  IndexRunOptions run;
  if (!options.vectors_folder.empty()) {
    run.folder = std::filesystem::path(options.vectors_folder) / kind;
    std::filesystem::create_directories(run.folder);
  }
  System system{.kind = kind};
  const double before = ProcessCpuSeconds();
  VETTORE_ASSIGN_OR_RETURN(system.index, MakeVectorIndex(config, run));
  for (size_t i = 0; i < data.base.count; ++i) {
    VETTORE_RETURN_IF_ERROR(system.index->Put(static_cast<Slot>(i), data.base.span(i)));
  }
  VETTORE_RETURN_IF_ERROR(system.index->WaitUntilIndexed(CancelToken()));
  system.build_cpu_s = ProcessCpuSeconds() - before;
  system.qps.resize(options.nprobes.size());
  system.recall.resize(options.nprobes.size());
  return system;
}

absl::Status MeasureOnce(const AnnData& data, const Options& options, size_t at, System& system) {
  const QuerySet& set = data.query_sets.front();
  IndexSearchOptions search;
  search.k = options.k;
  search.nprobe = options.nprobes[at];
  const PassShape shape{.queries = set.vectors.count, .k = options.k, .batch = options.batch};
  const auto answer = [&](size_t first, std::span<std::vector<int32_t>> rows) -> absl::Status {
    std::vector<std::span<const float>> queries;
    for (size_t i = 0; i < rows.size(); ++i) queries.push_back(set.vectors.span(first + i));
    VETTORE_ASSIGN_OR_RETURN(const auto found,
                             system.index->SearchBatch(queries, search, CancelToken(), {}));
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const Neighbor& hit : found[i]) rows[i].push_back(static_cast<int32_t>(hit.slot));
    }
    return absl::OkStatus();
  };
  VETTORE_ASSIGN_OR_RETURN(const Pass pass, RunPass(shape, answer));
  system.qps[at].push_back(static_cast<double>(set.vectors.count) / pass.cpu_s);
  system.recall[at] = RecallAtK({.base = data.base,
                                 .queries = set.vectors,
                                 .metric = data.metric,
                                 .truth = set.truth,
                                 .k = options.k},
                                pass.found);
  return absl::OkStatus();
}

void Report(const AnnData& data, const Options& options, size_t at, const System& system) {
  const IndexStats stats = system.index->Stats();
  const Spread qps = SpreadOf(system.qps[at]);
  Json line = {{"suite", "ivf"},
               {"data", data.name},
               {"system", system.kind},
               {"parameters", {{"nprobe", options.nprobes[at]}, {"nlist", options.nlist}}},
               {"k", options.k},
               {"batch", options.batch},
               {"recall", system.recall[at]},
               {"qps", qps.median},
               {"qps_min", qps.min},
               {"qps_max", qps.max},
               {"build_cpu_s", system.build_cpu_s},
               {"ram_bytes_per_vector",
                static_cast<double>(stats.memory_bytes) / static_cast<double>(data.base.count)}};
  line.update(MachineFields());
  std::cout << line << std::endl;
}

absl::Status Run(const Options& options) {
  AnnDataOptions loading;
  if (const char* datasets = std::getenv("VETTORE_DATASETS_DIR")) {
    loading.datasets_directory = datasets;
  }
  VETTORE_ASSIGN_OR_RETURN(AnnData data, LoadAnnData(options.data, loading));
  VETTORE_RETURN_IF_ERROR(EnsureTruth(data, options.k, {.threads = 2}, DefaultTruthDirectory()));
  std::vector<System> systems;
  for (const std::string& kind : options.kinds) {
    VETTORE_ASSIGN_OR_RETURN(systems.emplace_back(), Build(data, kind, options));
  }
  const PinnedThread pinned;
  for (size_t at = 0; at < options.nprobes.size(); ++at) {
    // The first round warms up.
    for (size_t repeat = 0; repeat <= options.repeats; ++repeat) {
      for (System& system : systems) {
        if (repeat == 1) system.qps[at].clear();
        VETTORE_RETURN_IF_ERROR(MeasureOnce(data, options, at, system));
      }
    }
    for (const System& system : systems) Report(data, options, at, system);
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Builds inverted lists of several kinds over one data set and searches them in turns, on one "
      "thread, in its CPU time. Prints a result line (JSON) for each kind and nprobe.");
  app.add_option("data", options.data, "As `vettore bench ann` takes it")->required();
  app.add_option(
         "--kinds", options.kinds,
         "ENCODING, ENCODING:PQ_M or ENCODING:PQ_M:opq, as pq4:96:opq; a PQ_M of 0 follows the "
         "dimension")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--nprobe", options.nprobes, "Lists that a search scans")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--nlist", options.nlist, "Lists; 0 follows the count")->capture_default_str();
  app.add_option("--k", options.k, "Neighbours")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Queries asked together")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--repeats", options.repeats, "Passes after a warm-up")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--vectors-folder", options.vectors_folder,
                 "Where the vectors are kept, mapped, as the server does; default: in memory")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Run(options);
  if (status.ok()) return 0;
  std::cerr << "error: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace vettore::bench

int main(int argc, char** argv) { return vettore::bench::Main(argc, argv); }
