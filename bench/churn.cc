// What a graph is worth after its points were replaced several times over: recall, points that are
// not found any more, and memory, against a graph that was built from the same points at once.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/status.h"
#include "bench/exact_truth.h"
#include "bench/machine.h"
#include "bench/synthetic_data.h"
#include "index/vector_index.h"
#include "types/json.h"

namespace vettore::bench {
namespace {

constexpr size_t kQueries = 1000;
constexpr size_t kNeighbors = 10;
// Of the data: points that come back were gone for two turnovers.
constexpr size_t kGenerations = 3;
// The graph is waited for so often in a turnover: otherwise most points would go before it took
// them.
constexpr size_t kWaits = 20;

struct Options {
  size_t count = 200'000;
  size_t dim = 128;
  size_t turnovers = 10;
  uint32_t ef_search = 64;
  std::string way = "update";
  std::string quantization = "auto";
  std::string vectors_folder;
};

class Churn {
 public:
  explicit Churn(const Options& options)
      : options_(options),
        data_(Generate({.name = "churn",
                        .count = options.count * kGenerations,
                        .dim = options.dim,
                        .centres = 2000,
                        .latent_dim = 32,
                        .seed = 777},
                       kQueries)) {}

  absl::Status Run() {
    VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<VectorIndex> index, Build(0));
    VETTORE_RETURN_IF_ERROR(Report("built", 0, *index));
    for (size_t turnover = 1; turnover <= options_.turnovers; ++turnover) {
      VETTORE_RETURN_IF_ERROR(TurnOver(turnover, *index));
      VETTORE_RETURN_IF_ERROR(Report("churned", turnover, *index));
    }
    VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<VectorIndex> fresh, Build(options_.turnovers));
    return Report("fresh", options_.turnovers, *fresh);
  }

 private:
  // Of a slot after so many turnovers.
  std::span<const float> VectorOf(size_t slot, size_t turnover) const {
    return data_.base.span(turnover % kGenerations * options_.count + slot);
  }

  absl::StatusOr<std::unique_ptr<VectorIndex>> Build(size_t turnover) const {
    VETTORE_ASSIGN_OR_RETURN(const Quantization quantization,
                             ParseQuantization(options_.quantization));
    VectorConfig config;
    config.dimension = static_cast<uint32_t>(options_.dim);
    config.metric = Metric::kCosine;
    config.index = HnswConfig{.quantization = quantization};
    VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<VectorIndex> index,
                             MakeVectorIndex(config, {.folder = options_.vectors_folder}));
    for (size_t slot = 0; slot < options_.count; ++slot) {
      VETTORE_RETURN_IF_ERROR(index->Put(static_cast<Slot>(slot), VectorOf(slot, turnover)));
    }
    VETTORE_RETURN_IF_ERROR(index->WaitUntilIndexed(CancelToken()));
    return index;
  }

  // Every slot once, in another order each time.
  absl::Status TurnOver(size_t turnover, VectorIndex& index) const {
    std::vector<Slot> order(options_.count);
    std::iota(order.begin(), order.end(), Slot{0});
    std::shuffle(order.begin(), order.end(), std::mt19937_64(turnover));
    for (size_t i = 0; i < order.size(); ++i) {
      if (options_.way == "replace") index.Remove(order[i]);
      VETTORE_RETURN_IF_ERROR(index.Put(order[i], VectorOf(order[i], turnover)));
      if (i % (options_.count / kWaits) == 0) {
        VETTORE_RETURN_IF_ERROR(index.WaitUntilIndexed(CancelToken()));
      }
    }
    return index.WaitUntilIndexed(CancelToken());
  }

  absl::Status Report(const std::string& state, size_t turnover, const VectorIndex& index) const {
    VETTORE_ASSIGN_OR_RETURN(const double recall, Recall(index, turnover));
    VETTORE_ASSIGN_OR_RETURN(const size_t lost, CountLost(index, turnover));
    const IndexStats stats = index.Stats();
    Json line = {{"suite", "churn"},
                 {"way", options_.way},
                 {"vectors", options_.count},
                 {"dim", options_.dim},
                 {"state", state},
                 {"turnovers", turnover},
                 {"parameters",
                  {{"ef_search", options_.ef_search}, {"quantization", options_.quantization}}},
                 {"k", kNeighbors},
                 {"recall", recall},
                 {"not_found", lost},
                 {"tombstones", stats.tombstones},
                 {"ram_bytes_per_vector",
                  static_cast<double>(stats.memory_bytes) / static_cast<double>(options_.count)}};
    line.update(MachineFields());
    std::cout << line << std::endl;
    return absl::OkStatus();
  }

  absl::StatusOr<double> Recall(const VectorIndex& index, size_t turnover) const {
    Matrix<float> live;
    live.dim = options_.dim;
    live.count = options_.count;
    const std::span<const float> first = VectorOf(0, turnover);
    live.values.assign(first.data(), first.data() + live.count * live.dim);
    const Neighbors truth = ExactTruth(
        {.base = live, .queries = data_.queries, .metric = Metric::kCosine, .k = kNeighbors},
        {.threads = 2});
    IndexSearchOptions search;
    search.k = kNeighbors;
    search.ef_search = options_.ef_search;
    size_t hits = 0;
    for (size_t q = 0; q < kQueries; ++q) {
      VETTORE_ASSIGN_OR_RETURN(const std::vector<Neighbor> found,
                               index.Search(data_.queries.span(q), search, CancelToken(), nullptr));
      const int32_t* const wanted = truth.values.data() + q * kNeighbors;
      for (const Neighbor& neighbor : found) {
        hits += static_cast<size_t>(
            std::count(wanted, wanted + kNeighbors, static_cast<int32_t>(neighbor.slot)));
      }
    }
    return static_cast<double>(hits) / static_cast<double>(kQueries * kNeighbors);
  }

  // Live slots that a wide search for their own vectors does not find.
  absl::StatusOr<size_t> CountLost(const VectorIndex& index, size_t turnover) const {
    IndexSearchOptions search;
    search.k = 1;
    search.ef_search = 4 * options_.ef_search;
    size_t lost = 0;
    for (size_t slot = 0; slot < options_.count; ++slot) {
      VETTORE_ASSIGN_OR_RETURN(
          const std::vector<Neighbor> found,
          index.Search(VectorOf(slot, turnover), search, CancelToken(), nullptr));
      lost += found.empty() || found[0].slot != slot ? 1 : 0;
    }
    return lost;
  }

  const Options options_;
  const SyntheticData data_;
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Replaces every point of a graph several times over. Prints a result line (JSON) after each "
      "turnover, and one of a graph that is built from the last points at once.");
  app.add_option("--count", options.count, "Points")
      ->check(CLI::Range(1'000, 5'000'000))
      ->capture_default_str();
  app.add_option("--dim", options.dim, "Dimensions of the generated vectors")
      ->check(CLI::Range(2, 4'096))
      ->capture_default_str();
  app.add_option("--turnovers", options.turnovers, "How often each point is replaced")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--ef-search", options.ef_search, "Candidates that a search keeps")
      ->check(CLI::Range(1, 4'096))
      ->capture_default_str();
  app.add_option("--way", options.way, "update: put over the old one; replace: remove, then put")
      ->check(CLI::IsMember({"update", "replace"}))
      ->capture_default_str();
  app.add_option("--quantization", options.quantization, "auto, none, sq8, sq4 or rabitq")
      ->capture_default_str();
  app.add_option("--vectors-folder", options.vectors_folder,
                 "Where the vectors are kept, mapped, as the server does; default: in memory")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Churn(options).Run();
  if (status.ok()) return 0;
  std::cerr << "error: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace vettore::bench

int main(int argc, char** argv) { return vettore::bench::Main(argc, argv); }
