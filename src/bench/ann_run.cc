#include "bench/ann_run.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "bench/ann_system.h"
#include "bench/machine.h"
#include "bench/measure.h"
#include "index/vector_index.h"
#include "types/limits.h"

namespace vettore::bench {
namespace {

constexpr size_t kPutsAtOnce = 1'000;
constexpr int kMostThreads = 1'024;
constexpr size_t kMostBatch = 100'000;

absl::Status OutOfRange(std::string_view option, uint64_t got,
                        std::pair<uint64_t, uint64_t> range) {
  return absl::InvalidArgumentError(
      StrCat(option, ": wanted ", range.first, " to ", range.second, ", got ", got));
}

absl::Status CheckRange(std::string_view option, uint64_t got,
                        std::pair<uint64_t, uint64_t> range) {
  if (got >= range.first && got <= range.second) return absl::OkStatus();
  return OutOfRange(option, got, range);
}

void AppendRows(const std::vector<Neighbor>& found, std::vector<int32_t>& rows) {
  for (const Neighbor& neighbor : found) rows.push_back(static_cast<int32_t>(neighbor.slot));
}

// An index over the whole base, and what building it took.
struct Built {
  const AnnSystem& system;
  std::unique_ptr<VectorIndex> index;
  double wall_s = 0;
  double cpu_s = 0;
};

class AnnRun {
 public:
  AnnRun(const AnnData& data, const AnnOptions& options, const AnnEvents& events,
         const CancelToken& cancel)
      : data_(data), options_(options), events_(events), cancel_(cancel) {}

  absl::Status RunSystem(const AnnSystem& system) const {
    VETTORE_ASSIGN_OR_RETURN(const Built built, Build(system));
    for (const QuerySet& set : data_.query_sets) {
      for (const int threads : options_.threads) {
        VETTORE_RETURN_IF_ERROR(Sweep(built, set, threads));
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<Built> Build(const AnnSystem& system) const {
    Built built{.system = system, .index = nullptr};
    if (events_.on_step) events_.on_step(StrCat("building ", system.name));
    VectorConfig config;
    config.dimension = static_cast<uint32_t>(data_.base.dim);
    config.metric = data_.metric;
    config.index = system.config;
    VETTORE_RETURN_IF_ERROR(Annotate(ValidateCollectionConfig({.vectors = {config}}), system.name));
    VETTORE_RETURN_IF_ERROR(Annotate(CheckVectorIndex(config), system.name));
    IndexRunOptions run;
    if (options_.build_threads > 0) run.build_threads = options_.build_threads;
    run.folder = options_.vectors_folder;
    VETTORE_ASSIGN_OR_RETURN(built.index, MakeVectorIndex(config, run));
    const double cpu_before = ProcessCpuSeconds();
    const auto begin = std::chrono::steady_clock::now();
    const size_t count = data_.base.count;
    for (size_t i = 0; i < count; ++i) {
      VETTORE_RETURN_IF_ERROR(built.index->Put(static_cast<Slot>(i), data_.base.span(i)));
      if (i % kPutsAtOnce == 0) {
        VETTORE_RETURN_IF_ERROR(cancel_.Poll());
      }
    }
    VETTORE_RETURN_IF_ERROR(AwaitGraph(*built.index));
    built.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    built.cpu_s = ProcessCpuSeconds() - cpu_before;
    return built;
  }

  // Tells how far the graph is while it waits for it.
  absl::Status AwaitGraph(const VectorIndex& index) const {
    while (true) {
      const IndexStats stats = index.Stats();
      if (events_.on_share) events_.on_share(stats.live - stats.unindexed, stats.live);
      if (stats.unindexed == 0) return index.WaitUntilIndexed(cancel_);
      const CancelToken for_a_moment(absl::Now() + absl::Milliseconds(100), nullptr);
      absl::Status waited = index.WaitUntilIndexed(for_a_moment);
      VETTORE_RETURN_IF_ERROR(cancel_.Poll());
      if (waited.ok()) return waited;
    }
  }

  absl::Status Sweep(const Built& built, const QuerySet& set, int threads) const {
    for (const uint32_t setting : built.system.Settings(options_)) {
      VETTORE_RETURN_IF_ERROR(Measure(built, set, threads, setting));
    }
    return absl::OkStatus();
  }

  absl::Status Measure(const Built& built, const QuerySet& set, int threads,
                       uint32_t setting) const {
    const bool is_swept = built.system.sweep != AnnSystem::Sweep::kNothing;
    const std::string_view swept = built.system.swept();
    if (events_.on_step) {
      events_.on_step(StrCat("searching ", built.system.name, ", ", set.name,
                             is_swept ? StrCat(", ", swept, " ", setting) : "", ", ", threads,
                             threads == 1 ? " thread" : " threads"));
    }
    const int repeats = is_swept ? options_.repeats : 1;
    std::vector<double> qps, wall_qps, p50, p99;
    double recall = 0;
    for (int repeat = is_swept ? -1 : 0; repeat < repeats; ++repeat) {
      VETTORE_ASSIGN_OR_RETURN(const Pass pass, OnePass(built, set, threads, setting));
      if (events_.on_share) {
        events_.on_share(static_cast<size_t>(repeat) + 1, static_cast<size_t>(repeats));
      }
      if (repeat < 0) continue;  // The warm-up.
      const auto count = static_cast<double>(set.vectors.count);
      wall_qps.push_back(count / pass.wall_s);
      qps.push_back(count / (threads == 1 ? pass.cpu_s : pass.wall_s));
      p50.push_back(Quantile(pass.latencies_us, 0.5));
      p99.push_back(Quantile(pass.latencies_us, 0.99));
      recall = RecallAtK({.base = data_.base,
                          .queries = set.vectors,
                          .metric = data_.metric,
                          .truth = set.truth,
                          .k = options_.k},
                         pass.found);
    }
    Json line = Describe(built, set);
    if (is_swept) line["parameters"][std::string(swept)] = setting;
    const Spread spread = SpreadOf(qps);
    line.update({{"threads", threads},
                 {"batch", options_.batch},
                 {"repeats", repeats},
                 {"recall", recall},
                 {"qps", spread.median},
                 {"qps_min", spread.min},
                 {"qps_max", spread.max},
                 {"wall_qps", SpreadOf(wall_qps).median},
                 {"p50_us", SpreadOf(p50).median},
                 {"p99_us", SpreadOf(p99).median}});
    events_.on_result(line);
    return absl::OkStatus();
  }

  absl::StatusOr<Pass> OnePass(const Built& built, const QuerySet& set, int threads,
                               uint32_t setting) const {
    const VectorIndex& index = *built.index;
    IndexSearchOptions search;
    search.k = options_.k;
    built.system.Set(setting, search);
    const AnswerFn answer = [&](size_t first,
                                std::span<std::vector<int32_t>> rows) -> absl::Status {
      if (options_.batch == 1) {
        VETTORE_ASSIGN_OR_RETURN(const std::vector<Neighbor> found,
                                 index.Search(set.vectors.span(first), search, cancel_, nullptr));
        AppendRows(found, rows[0]);
        return absl::OkStatus();
      }
      std::vector<std::span<const float>> queries;
      for (size_t i = 0; i < rows.size(); ++i) queries.push_back(set.vectors.span(first + i));
      VETTORE_ASSIGN_OR_RETURN(const std::vector<std::vector<Neighbor>> found,
                               index.SearchBatch(queries, search, cancel_, {}));
      for (size_t i = 0; i < rows.size(); ++i) AppendRows(found[i], rows[i]);
      return absl::OkStatus();
    };
    const PassShape shape{.queries = set.vectors.count, .k = options_.k, .batch = options_.batch};
    if (threads > 1) return RunPassOnThreads(shape, threads, answer);
    const PinnedThread pinned;
    return RunPass(shape, answer);
  }

  // What all lines of a built index and a set of queries share.
  Json Describe(const Built& built, const QuerySet& set) const {
    Json line = {{"suite", "ann"},
                 {"data", data_.name},
                 {"vectors", data_.base.count},
                 {"dim", data_.base.dim},
                 {"metric", std::string(NameOf(data_.metric))},
                 {"queries", set.name},
                 {"system", built.system.name},
                 {"parameters", built.system.parameters},
                 {"k", options_.k},
                 {"build_s", built.wall_s},
                 {"build_cpu_s", built.cpu_s},
                 {"ram_bytes_per_vector", built.index->Stats().memory_bytes / data_.base.count}};
    line.update(MachineFields());
    return line;
  }

  const AnnData& data_;
  const AnnOptions& options_;
  const AnnEvents& events_;
  const CancelToken& cancel_;
};

}  // namespace

absl::Status ValidateAnnOptions(const AnnOptions& options) {
  for (const std::string& kind : options.kinds) {
    VETTORE_RETURN_IF_ERROR(AnnSystemsOf(kind, options).status());
  }
  for (const uint32_t nprobe : options.nprobe) {
    VETTORE_RETURN_IF_ERROR(CheckRange("--nprobe", nprobe, {1, limits::kNprobe}));
  }
  VETTORE_RETURN_IF_ERROR(CheckRange("--nlist", options.nlist, {0, limits::kNlist}));
  for (const uint32_t ef : options.ef_search) {
    VETTORE_RETURN_IF_ERROR(CheckRange("--ef-search", ef, {1, limits::kEfSearch}));
  }
  for (const int threads : options.threads) {
    VETTORE_RETURN_IF_ERROR(
        CheckRange("--threads", static_cast<uint64_t>(std::max(threads, 0)), {1, kMostThreads}));
  }
  VETTORE_RETURN_IF_ERROR(CheckRange("--m", options.m, {limits::kMinM, limits::kMaxM}));
  VETTORE_RETURN_IF_ERROR(CheckRange("--ef-construction", options.ef_construction,
                                     {options.m, limits::kEfConstruction}));
  VETTORE_RETURN_IF_ERROR(CheckRange("-k", options.k, {1, limits::kSearchLimit}));
  VETTORE_RETURN_IF_ERROR(CheckRange("--batch", options.batch, {1, kMostBatch}));
  return CheckRange("--repeats", static_cast<uint64_t>(std::max(options.repeats, 0)), {1, 1'000});
}

absl::Status RunAnn(const AnnData& data, const AnnOptions& options, const AnnEvents& events,
                    const CancelToken& cancel) {
  VETTORE_RETURN_IF_ERROR(ValidateAnnOptions(options));
  const AnnRun run(data, options, events, cancel);
  for (const std::string& name : options.kinds) {
    VETTORE_ASSIGN_OR_RETURN(const std::vector<AnnSystem> systems, AnnSystemsOf(name, options));
    for (const AnnSystem& system : systems) VETTORE_RETURN_IF_ERROR(run.RunSystem(system));
  }
  return absl::OkStatus();
}

}  // namespace vettore::bench
