// Ours against hnswlib, in one process and in turns: QPS, latency, build time and memory at equal
// recall.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/status.h"
#include "bench/ann_data.h"
#include "bench/comparison.h"
#include "bench/machine.h"
#include "bench/truth_cache.h"

namespace vettore::bench {
namespace {

struct Options {
  std::vector<std::string> data = {"vec-minilm384-wordnet"};
  std::vector<double> filters;
  ComparisonOptions comparison;
  uint32_t m = 16;
  // As many as give recalls at least as high at equal ef: links are chosen differently.
  uint32_t ef_construction = HnswConfig{}.ef_construction;
  uint32_t peer_ef_construction = 200;
  std::string quantization = "auto";
  int build_threads = 1;
  bool quick = false;
  std::string vectors_folder;
  std::string out;
};

// Keeps result lines in a file, or prints them; a table for people goes to standard error.
class Report {
 public:
  explicit Report(const std::string& path) {
    if (!path.empty()) file_.open(path, std::ios::app);
  }
  bool good() const { return file_.good(); }

  void Add(Json line) {
    line.update(MachineFields());
    (file_.is_open() ? static_cast<std::ostream&>(file_) : std::cout) << line << std::endl;
    if (line["suite"] == "ann-ratio") {
      AddRow(line);
    } else {
      std::cerr << std::setw(14) << line["system"].get<std::string>() << "  ef " << std::setw(5)
                << line["parameters"]["ef_search"] << "  recall " << std::fixed
                << std::setprecision(4) << line["recall"].get<double>() << std::setprecision(0)
                << std::setw(9) << line["qps"].get<double>() << " QPS  p50 " << std::setw(6)
                << line["p50_us"].get<double>() << "  p99 " << std::setw(6)
                << line["p99_us"].get<double>() << " us\n";
    }
  }

 private:
  static void AddRow(const Json& line) {
    const auto figure = [](const Json& value, int precision) {
      std::ostringstream text;
      if (value.is_null()) return std::string("-");
      text << std::fixed << std::setprecision(precision) << value.get<double>();
      return text.str();
    };
    std::cerr << "== " << line["data"].get<std::string>() << " "
              << line["queries"].get<std::string>() << ", filter " << line["filter"] << ", recall "
              << line["recall"] << ": QPS " << figure(line["qps"], 0) << " / "
              << figure(line["peer_qps"], 0) << " = " << figure(line["qps_ratio"], 2) << "x ("
              << figure(line["qps_ratio_min"], 2) << " to " << figure(line["qps_ratio_max"], 2)
              << "), p99 " << figure(line["p99_us"], 0) << " / " << figure(line["peer_p99_us"], 0)
              << " us = " << figure(line["p99_ratio"], 2) << "x, build "
              << figure(line["build_speedup"], 2) << "x faster, memory "
              << figure(line["ram_ratio"], 2) << "x\n";
  }

  std::ofstream file_;
};

TruthRun TruthThreads() {
  return {.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()))};
}

VectorConfig PeerConfig(VectorConfig config, const Options& options) {
  std::get<HnswConfig>(config.index).ef_construction = options.peer_ef_construction;
  return config;
}

absl::Status CompareOn(const AnnData& data, const Options& options, Report& report) {
  VectorConfig config;
  config.dimension = static_cast<uint32_t>(data.base.dim);
  config.metric = data.metric;
  VETTORE_ASSIGN_OR_RETURN(const Quantization quantization,
                           ParseQuantization(options.quantization));
  config.index = HnswConfig{
      .m = options.m, .ef_construction = options.ef_construction, .quantization = quantization};
  std::cerr << "building over " << data.name << ", " << data.base.count << " x " << data.base.dim
            << ", " << options.build_threads << " thread(s)\n";
  VETTORE_ASSIGN_OR_RETURN(
      Contender ours, BuildContender(MakeVettoreSystem(config, options.vectors_folder), data.base,
                                     options.build_threads));
  VETTORE_ASSIGN_OR_RETURN(Contender peer,
                           BuildContender(MakeHnswlibSystem(PeerConfig(config, options)), data.base,
                                          options.build_threads));
  for (const Contender* built : {&ours, &peer}) {
    std::cerr << "   " << built->system->name() << ": " << built->build_cpu_s << " CPU s, "
              << built->build_wall_s << " s, " << built->ram_bytes_per_vector
              << " bytes a vector (process grew by " << built->rss_bytes_per_vector << ")\n";
  }
  const auto emit = [&](Json line) { report.Add(std::move(line)); };
  std::vector<RowFilter> filters;
  for (const double share : options.filters) {
    filters.push_back(RandomFilter(share, data.base.count));
  }
  for (const QuerySet& set : data.query_sets) {
    if (options.filters.empty()) {
      const Match match{
          .data = data, .queries_name = set.name, .queries = set.vectors, .truth = set.truth};
      VETTORE_RETURN_IF_ERROR(Compare(ours, peer, match, options.comparison, emit));
    }
    for (const RowFilter& filter : filters) {
      const Neighbors truth = CachedTruth({.base = data.base,
                                           .queries = set.vectors,
                                           .metric = data.metric,
                                           .k = options.comparison.k,
                                           .allowed = &filter.bitmap},
                                          TruthThreads(), DefaultTruthDirectory());
      const Match match{.data = data,
                        .queries_name = set.name,
                        .queries = set.vectors,
                        .truth = truth,
                        .filter = &filter};
      VETTORE_RETURN_IF_ERROR(Compare(ours, peer, match, options.comparison, emit));
    }
    if (options.quick) break;
  }
  return absl::OkStatus();
}

absl::Status RunAll(const Options& options) {
  Report report(options.out);
  if (!report.good()) {
    return absl::InvalidArgumentError(StrCat("--out ", options.out, ": cannot be written"));
  }
  for (const std::string& name : options.data) {
    AnnDataOptions loading;
    if (const char* datasets = std::getenv("VETTORE_DATASETS_DIR")) {
      loading.datasets_directory = datasets;
    }
    VETTORE_ASSIGN_OR_RETURN(AnnData data, LoadAnnData(name, loading));
    VETTORE_RETURN_IF_ERROR(
        EnsureTruth(data, options.comparison.k, TruthThreads(), DefaultTruthDirectory()));
    VETTORE_RETURN_IF_ERROR(CompareOn(data, options, report));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace vettore::bench

int main(int argc, char** argv) {
  vettore::bench::Options options;
  CLI::App app(
      "Vettore's graph against hnswlib's over the same vectors, in turns on one pinned thread, in "
      "thread CPU time. Result lines (JSON) go to standard output or --out, a table to standard "
      "error.");
  app.add_option("data", options.data, "Data sets, as `vettore bench ann` takes them")
      ->capture_default_str();
  app.add_option("--filter", options.filters, "Shares of the rows that a search may return")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--targets", options.comparison.targets, "Recalls at which figures are compared")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--k", options.comparison.k, "Neighbours asked for")->check(CLI::Range(1, 1000));
  app.add_option("--batch", options.comparison.batch, "Queries asked together")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--repeats", options.comparison.repeats, "Timed passes at each setting")
      ->check(CLI::Range(1, 1000));
  app.add_option("--m", options.m, "Neighbours of a node")->check(CLI::Range(4, 128));
  app.add_option("--quantization", options.quantization, "Of ours: auto, none, sq8, sq4 or rabitq");
  app.add_option("--ef-construction", options.ef_construction, "Candidates kept by an insertion")
      ->check(CLI::Range(4, 4096))
      ->capture_default_str();
  app.add_option("--peer-ef-construction", options.peer_ef_construction, "The same, of the peer")
      ->check(CLI::Range(4, 4096))
      ->capture_default_str();
  app.add_option("--build-threads", options.build_threads, "Of each system")
      ->check(CLI::Range(1, 256));
  app.add_option("--vectors-folder", options.vectors_folder,
                 "Where ours keeps the vectors, mapped, as the server does; default: in memory")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory);
  app.add_flag(
      "--quick", options.quick,
      "Only the first set of queries of each data set; under three minutes for the default one");
  app.add_option("--out", options.out, "A file to append result lines to");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = vettore::bench::RunAll(options); !status.ok()) {
    std::cerr << "error: " << status.message() << '\n';
    return 1;
  }
}
