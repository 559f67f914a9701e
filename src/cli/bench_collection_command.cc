// `vettore bench collection`: recall and latency of a live collection, over the network as its
// users see it.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "bench/measure.h"
#include "bench/vector_file.h"
#include "cli/bench_view.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/interrupt.h"
#include "cli/live_collection.h"
#include "cli/terminal.h"
#include "types/limits.h"

namespace vettore {
namespace {

struct BenchCollectionOptions {
  std::string collection;
  std::string vector_name;
  std::string queries;
  size_t sample = 500;
  std::vector<uint32_t> ef_search = {16, 32, 64, 128, 256, 512};
  size_t k = 10;
  int repeats = 3;
  std::string out;
};

absl::StatusOr<std::vector<LiveQuery>> ReadQueries(const BenchCollectionOptions& options,
                                                   const LiveCollection& collection) {
  VETTORE_ASSIGN_OR_RETURN(const bench::Matrix<float> rows, bench::ReadVectors(options.queries));
  if (rows.dim != collection.config().dimension()) {
    return absl::InvalidArgumentError(StrCat("--queries ", options.queries, ": dimension ",
                                             rows.dim, ", collection '", options.collection,
                                             "' expects ", collection.config().dimension()));
  }
  std::vector<LiveQuery> queries;
  for (size_t i = 0; i < rows.count; ++i) {
    queries.push_back({.vector = {rows.row(i), rows.row(i) + rows.dim}, .self = ""});
  }
  return queries;
}

std::string MetricText(v1::Metric metric) {
  if (metric == v1::METRIC_L2) return "l2";
  return metric == v1::METRIC_INNER_PRODUCT ? "inner_product" : "cosine";
}

// Asks all queries at one setting after the other, and describes each in a result line.
class LiveBench {
 public:
  LiveBench(const BenchCollectionOptions& options, const LiveCollection& collection,
            std::vector<LiveQuery> queries, StepLine& progress)
      : options_(options),
        collection_(collection),
        queries_(std::move(queries)),
        progress_(progress) {}

  // The exact answers, once; then every setting. Cancelled when the user interrupts.
  absl::Status Run(ResultLines& results) {
    VETTORE_ASSIGN_OR_RETURN(
        const Timing exact,
        Time("exact", {.k = options_.k, .mode = LiveCollection::Mode::kExact}, 1));
    exact_ = exact.answers;
    results.Add(Describe("exact", exact, std::nullopt));
    if (collection_.config().has_flat()) return absl::OkStatus();  // It is exact anyway.
    for (const uint32_t ef : options_.ef_search) {
      VETTORE_ASSIGN_OR_RETURN(
          const Timing timing,
          Time(StrCat("ef_search ", ef), {.k = options_.k, .ef_search = ef}, options_.repeats));
      results.Add(Describe("hnsw", timing, ef));
    }
    return absl::OkStatus();
  }

 private:
  struct Timing {
    std::vector<LiveAnswer> answers;                         // Of the last pass.
    std::vector<double> qps, p50_us, p99_us, server_p50_us;  // By pass.
  };

  absl::StatusOr<Timing> Time(const std::string& name, const LiveCollection::Question& question,
                              int repeats) const {
    Timing timing;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      progress_.Step(StrCat("asking ", FormatCount(queries_.size()), " queries, ", name));
      timing.answers.clear();
      const absl::Time begin = absl::Now();
      for (const LiveQuery& query : queries_) {
        if (InterruptScope::Happened()) return InterruptedError("interrupted");
        VETTORE_ASSIGN_OR_RETURN(LiveAnswer answer, collection_.Ask(query, question));
        timing.answers.push_back(std::move(answer));
        progress_.Share(static_cast<double>(timing.answers.size()) /
                        static_cast<double>(queries_.size()));
      }
      const auto count = static_cast<double>(queries_.size());
      timing.qps.push_back(count / absl::ToDoubleSeconds(absl::Now() - begin));
      std::vector<double> round_trips, server;
      for (const LiveAnswer& answer : timing.answers) {
        round_trips.push_back(answer.round_trip_us);
        server.push_back(answer.server_us);
      }
      timing.p50_us.push_back(bench::Quantile(round_trips, 0.5));
      timing.p99_us.push_back(bench::Quantile(round_trips, 0.99));
      timing.server_p50_us.push_back(bench::Quantile(server, 0.5));
    }
    return timing;
  }

  double MeanRecall(const std::vector<LiveAnswer>& answers) const {
    const BetterScore better = collection_.config().metric() == v1::METRIC_L2
                                   ? BetterScore::kSmaller
                                   : BetterScore::kLarger;
    double sum = 0;
    for (size_t i = 0; i < answers.size(); ++i) sum += LiveRecall(exact_[i], answers[i], better);
    return sum / static_cast<double>(answers.size());
  }

  Json Describe(const std::string& system, const Timing& timing, std::optional<uint32_t> ef) const {
    const bench::Spread qps = bench::SpreadOf(timing.qps);
    Json line = {{"suite", "collection"},
                 {"data", options_.collection},
                 {"vectors", collection_.status().live()},
                 {"dim", collection_.config().dimension()},
                 {"metric", MetricText(collection_.config().metric())},
                 {"queries", options_.queries.empty() ? "stored vectors" : options_.queries},
                 {"query_count", queries_.size()},
                 {"system", system},
                 {"parameters", Json::object()},
                 {"k", options_.k},
                 {"threads", 1},
                 {"repeats", timing.qps.size()},
                 {"recall", MeanRecall(timing.answers)},
                 {"qps", qps.median},
                 {"qps_min", qps.min},
                 {"qps_max", qps.max},
                 {"p50_us", bench::SpreadOf(timing.p50_us).median},
                 {"p99_us", bench::SpreadOf(timing.p99_us).median},
                 {"server_p50_us", bench::SpreadOf(timing.server_p50_us).median}};
    if (ef) line["parameters"]["ef_search"] = *ef;
    return line;
  }

  const BenchCollectionOptions& options_;
  const LiveCollection& collection_;
  const std::vector<LiveQuery> queries_;
  StepLine& progress_;
  std::vector<LiveAnswer> exact_;
};

absl::Status CheckOptions(const BenchCollectionOptions& options) {
  // The query's own point is asked for beside the k.
  if (options.k == 0 || options.k >= limits::kSearchLimit) {
    return UsageError(StrCat("-k: wanted 1 to ", limits::kSearchLimit - 1, ", got ", options.k));
  }
  for (const uint32_t ef : options.ef_search) {
    if (ef == 0 || ef > limits::kEfSearch) {
      return UsageError(StrCat("--ef-search: wanted 1 to ", limits::kEfSearch, ", got ", ef));
    }
  }
  return absl::OkStatus();
}

absl::Status RunBenchCollection(const GlobalOptions& globals,
                                const BenchCollectionOptions& options) {
  VETTORE_RETURN_IF_ERROR(CheckOptions(options));
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  VETTORE_ASSIGN_OR_RETURN(
      const LiveCollection collection,
      LiveCollection::Open(connection, options.collection, options.vector_name));
  ResultLines results(globals);
  VETTORE_RETURN_IF_ERROR(results.OpenFile(options.out));
  const InterruptScope interrupts;
  StepLine progress(globals);
  progress.Step("choosing queries");
  VETTORE_ASSIGN_OR_RETURN(std::vector<LiveQuery> queries, options.queries.empty()
                                                               ? collection.Sample(options.sample)
                                                               : ReadQueries(options, collection));
  if (queries.empty()) {
    return absl::FailedPreconditionError(
        StrCat("of the points chosen from '", options.collection, "' none has such a vector"));
  }
  LiveBench live(options, collection, std::move(queries), progress);
  const absl::Status status = live.Run(results);
  progress.Clear();
  VETTORE_RETURN_IF_ERROR(status);
  if (collection.status().unindexed() > 0) {
    Notice(globals,
           StrCat(FormatCount(collection.status().unindexed()),
                  " vectors were not in the graph yet when this began; those are scanned"));
  }
  if (!globals.json) std::cout << BenchTable(results.lines());
  return results.Finish();
}

}  // namespace

void AddBenchCollectionCommand(CommandLine& line, CLI::App& group) {
  CLI::App* command = line.Add(
      group,
      {.name = "collection",
       .summary = "Measure recall and latency of a live collection",
       .text =
           "Asks a running server for the neighbours of stored vectors, chosen at random, or of "
           "--queries: exactly once, then through the index at each --ef-search, and compares: "
           "recall at k, and the latency of one client that asks one query after the other, "
           "network included. A stored vector's own point does not count. What is written "
           "meanwhile may be seen by one search and not by another.",
       .examples = "  vettore bench collection articles\n"
                   "  vettore bench collection articles --ef-search 64,128,256 -k 20\n"
                   "  vettore bench collection articles --queries questions.npy --json\n"});
  const auto options = std::make_shared<BenchCollectionOptions>();
  command->add_option("collection", options->collection, "The collection or an alias")
      ->required()
      ->type_name("NAME");
  command->add_option("--vector-name", options->vector_name,
                      "The vector to search on; default: the unnamed one");
  command
      ->add_option("--queries", options->queries,
                   "A .npy, .fvecs or .bvecs file of queries in place of stored vectors")
      ->type_name("FILE");
  command->add_option("--sample", options->sample, "How many stored vectors to ask for")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command
      ->add_option("--ef-search", options->ef_search,
                   "Candidates that a graph search keeps, each measured")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("-k,--k", options->k, "Neighbours asked for")->capture_default_str();
  command->add_option("--repeats", options->repeats, "Passes of each setting")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  command->add_option("--out", options->out, "A file to append the result lines to")
      ->type_name("FILE");
  line.Run(command, [options](const GlobalOptions& globals) {
    return RunBenchCollection(globals, *options);
  });
}

}  // namespace vettore
