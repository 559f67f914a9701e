// `vettore bench ann`: recall and speed of the index kinds over vectors in files; no server is
// needed.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "bench/ann_data.h"
#include "bench/ann_run.h"
#include "bench/truth_cache.h"
#include "cli/bench_view.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "types/metric.h"

namespace vettore {
namespace {

struct BenchAnnOptions {
  std::vector<std::string> data;
  bench::AnnDataOptions loading;
  bench::AnnOptions run;
  std::string metric;
  std::vector<std::string> quantizations = {"auto"};
  std::vector<std::string> encodings = {"flat", "pq4", "pq8"};
  std::string queries;
  std::string cache;
  std::string out;
  bool quick = false;
};

// What --quick takes where the command line does not say otherwise.
void MakeQuick(const CLI::App& command, BenchAnnOptions& options) {
  if (command.count("--kinds") == 0) options.run.kinds = {"hnsw"};
  if (command.count("--ef-search") == 0) options.run.ef_search = {16, 32, 64, 128};
  if (command.count("--nprobe") == 0) options.run.nprobe = {4, 16, 64, 256};
  if (command.count("--repeats") == 0) options.run.repeats = 3;
}

// Commas stand between kinds, and within the factory strings of FAISS: what is no kind goes on with
// the one before it.
std::vector<std::string> JoinFactories(const std::vector<std::string>& words) {
  std::vector<std::string> kinds;
  for (const std::string& word : words) {
    const bool is_kind = word == "hnsw" || word == "flat" || word == "ivf";
    if (is_kind || kinds.empty() || !kinds.back().starts_with("faiss:") ||
        word.starts_with("faiss:")) {
      kinds.push_back(word);
    } else {
      StrAppend(&kinds.back(), ",", word);
    }
  }
  return kinds;
}

absl::Status CheckOptions(BenchAnnOptions& options) {
  if (!options.metric.empty()) {
    const absl::StatusOr<Metric> metric = ParseMetric(options.metric);
    if (!metric.ok()) {
      return UsageError(StrCat("--metric '", options.metric, "': ", metric.status().message()));
    }
    options.loading.metric = *metric;
  }
  options.run.quantizations.clear();
  for (const std::string& name : options.quantizations) {
    const absl::StatusOr<Quantization> quantization = ParseQuantization(name);
    if (!quantization.ok()) return UsageError(StdView(quantization.status().message()));
    options.run.quantizations.push_back(*quantization);
  }
  options.run.ivf_encodings.clear();
  for (const std::string& name : options.encodings) {
    const absl::StatusOr<IvfEncoding> encoding = ParseIvfEncoding(name);
    if (!encoding.ok()) {
      return UsageError(StrCat("--encoding '", name, "': ", encoding.status().message()));
    }
    options.run.ivf_encodings.push_back(*encoding);
  }
  options.run.kinds = JoinFactories(options.run.kinds);
  if (const absl::Status valid = ValidateAnnOptions(options.run); !valid.ok()) {
    return UsageError(StdView(valid.message()));
  }
  options.loading.queries = options.queries;
  if (const char* datasets = std::getenv("VETTORE_DATASETS_DIR")) {
    options.loading.datasets_directory = datasets;
  }
  return absl::OkStatus();
}

absl::StatusOr<bench::AnnData> Load(const std::string& name, const BenchAnnOptions& options,
                                    StepLine& progress) {
  progress.Step(StrCat("reading ", name));
  VETTORE_ASSIGN_OR_RETURN(bench::AnnData data, bench::LoadAnnData(name, options.loading));
  progress.Step(StrCat("exact answers for ", name));
  const bench::TruthRun truth{
      .threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency())),
      .on_progress = [&progress](double share) { progress.Share(share); }};
  const std::filesystem::path directory =
      options.cache.empty() ? bench::DefaultTruthDirectory() : std::filesystem::path(options.cache);
  VETTORE_RETURN_IF_ERROR(bench::EnsureTruth(data, options.run.k, truth, directory));
  return data;
}

absl::Status RunBenchAnn(const GlobalOptions& globals, BenchAnnOptions options) {
  VETTORE_RETURN_IF_ERROR(CheckOptions(options));
  ResultLines results(globals);
  VETTORE_RETURN_IF_ERROR(results.OpenFile(options.out));
  StepLine progress(globals);
  const InterruptScope interrupts;
  const CancelToken cancel(absl::InfiniteFuture(), InterruptScope::Happened);
  const bench::AnnEvents events{
      .on_result = [&](const Json& line) { results.Add(line); },
      .on_step = [&](std::string_view text) { progress.Step(text); },
      .on_share =
          [&](size_t done, size_t total) {
            progress.Share(static_cast<double>(done) /
                           static_cast<double>(std::max<size_t>(total, 1)));
          }};
  for (const std::string& name : options.data) {
    VETTORE_ASSIGN_OR_RETURN(const bench::AnnData data, Load(name, options, progress));
    const absl::Status status = bench::RunAnn(data, options.run, events, cancel);
    if (InterruptScope::Happened()) {
      progress.Clear();
      return InterruptedError("interrupted; the results so far are written");
    }
    VETTORE_RETURN_IF_ERROR(status);
  }
  progress.Clear();
  if (!globals.json) std::cout << BenchTable(results.lines());
  return results.Finish();
}

void AddDataOptions(CLI::App& command, BenchAnnOptions& options) {
  command.add_option("data", options.data, "Data sets, see above")->required();
  command
      .add_option("--queries", options.queries,
                  "A file of query vectors; default: those of the data set, or held-out rows")
      ->type_name("FILE");
  command
      .add_option("--query-count", options.loading.query_count,
                  "Queries to hold out of a single file, or to generate")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command
      .add_option("--metric", options.metric,
                  "l2, inner_product or cosine; default: what the data set says, else cosine")
      ->type_name("METRIC");
  command.add_option("--limit", options.loading.limit, "Only the first so many vectors")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--cache", options.cache,
                  "Where exact answers are kept; default: ~/.cache/vettore/truth")
      ->type_name("FOLDER");
}

void AddRunOptions(CLI::App& command, BenchAnnOptions& options) {
  command
      .add_option("--kinds", options.run.kinds,
                  "Index kinds: hnsw, flat, ivf, or faiss: and a factory string of FAISS, such as "
                  "faiss:IVF256,PQ48x4fs")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--quantization", options.quantizations,
                  "Of hnsw: auto, none, sq8, sq4, rabitq; an index for each")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--encoding", options.encodings, "Of ivf: flat, pq4, pq8, rabitq; an index for each")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--nlist", options.run.nlist, "Lists of ivf; 0 follows the count")
      ->capture_default_str();
  command
      .add_option("--nprobe", options.run.nprobe,
                  "Lists that a search of ivf, or of FAISS's IVF, scans, each measured")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--ef-search", options.run.ef_search,
                  "Candidates that a graph search keeps, FAISS's too, each measured")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--m", options.run.m, "Neighbours of a graph node")->capture_default_str();
  command
      .add_option("--ef-construction", options.run.ef_construction,
                  "Candidates that an insertion keeps")
      ->capture_default_str();
  command.add_option("-k,--k", options.run.k, "Neighbours asked for")->capture_default_str();
  command
      .add_option("--threads", options.run.threads, "Threads that search together, each measured")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--batch", options.run.batch, "Queries asked together")->capture_default_str();
  command
      .add_option("--build-threads", options.run.build_threads,
                  "Threads that build; default: as many as the index takes")
      ->check(CLI::Range(1, 1'024));
  command
      .add_option("--vectors-folder", options.run.vectors_folder,
                  "Where an index keeps the vectors, mapped where it searches codes or lists, as "
                  "the server does; default: in memory")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory);
  command.add_option("--repeats", options.run.repeats, "Timed passes of each setting")
      ->capture_default_str();
  command.add_flag(
      "--quick", options.quick,
      "hnsw, four values of --ef-search and --nprobe, three repeats; --kinds for others");
  command.add_option("--out", options.out, "A file to append the result lines to")
      ->type_name("FILE");
}

void AddBenchAnn(CommandLine& line, CLI::App& group) {
  CLI::App* command = line.Add(
      group,
      {.name = "ann",
       .summary = "Measure recall and speed of the index kinds over vectors in files",
       .text =
           "Builds an index of each kind over the vectors, asks it every query, and compares with "
           "the exact answers: recall at k, queries a second, latencies, build time, memory. Runs "
           "in this process; no server is needed.\n\n"
           "A data set is a directory with base.*, queries*.* and gt*_ids.* (or *_base.*, "
           "*_query.*, *_groundtruth.*), an .hdf5 file of ann-benchmarks, one file of vectors "
           "(random rows become the queries), the name of a directory in $VETTORE_DATASETS_DIR, "
           "or a generated one: synth384 (200,000 x 384), synth1m (1,000,000 x 128), synth768 "
           "(200,000 x 768). Vectors are .npy, .fvecs, .bvecs or .ivecs, also with .zst behind.\n\n"
           "With one thread, times are CPU time of the searching thread, pinned to a core; with "
           "more they are by the clock. Figures are medians over the repeats. --json prints a line "
           "for each result, --out appends them to a file, bench/plot.py draws them.",
       .examples =
           "  vettore bench ann vec-fashion-mnist-784 --quick\n"
           "  vettore bench ann my-vectors.npy --metric cosine --ef-search 32,64,128\n"
           "  vettore bench ann synth384 --threads 1,2 --out results.jsonl\n"
           "  vettore bench ann glove-100-angular.hdf5 --kinds hnsw --m 32\n"
           "  vettore bench ann synth384 --kinds hnsw,ivf,faiss:IVF256,PQ48x4fs --quick\n"});
  const auto options = std::make_shared<BenchAnnOptions>();
  AddDataOptions(*command, *options);
  AddRunOptions(*command, *options);
  line.Run(command, [options, command](const GlobalOptions& globals) {
    if (options->quick) MakeQuick(*command, *options);
    return RunBenchAnn(globals, *options);
  });
}

}  // namespace

void AddBenchCommands(CommandLine& line) {
  CLI::App* group = line.AddGroup(
      {.name = "bench",
       .summary = "Measure recall and speed, on files or on a live collection",
       .text = "Measures how much of the exact answer approximate search finds, and how fast.",
       .examples = "  vettore bench ann vec-fashion-mnist-784 --quick\n"
                   "  vettore bench collection articles\n"});
  AddBenchAnn(line, *group);
  AddBenchCollectionCommand(line, *group);
}

}  // namespace vettore
