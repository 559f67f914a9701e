#include "bench/peer_systems.h"

#include <random>
#include <utility>
#include <variant>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector_index.h"

namespace vettore::bench {
namespace {

constexpr uint64_t kFilterSeed = 3;

class VettoreSystem : public PeerSystem {
 public:
  VettoreSystem(const VectorConfig& config, std::string vectors_folder)
      : config_(config), vectors_folder_(std::move(vectors_folder)) {}

  std::string name() const override {
    return std::holds_alternative<FlatConfig>(config_.index) ? "vettore-flat" : "vettore-hnsw";
  }
  absl::Status Build(const Matrix<float>& base, int threads) override {
    VETTORE_ASSIGN_OR_RETURN(
        index_, MakeVectorIndex(config_, {.build_threads = threads, .folder = vectors_folder_}));
    for (size_t i = 0; i < base.count; ++i) {
      VETTORE_RETURN_IF_ERROR(index_->Put(static_cast<Slot>(i), base.span(i)));
    }
    return index_->WaitUntilIndexed(CancelToken());
  }
  absl::Status Search(const SystemQuestion& question,
                      std::span<std::vector<int32_t>> rows) override {
    IndexSearchOptions options;
    options.k = question.k;
    options.ef_search = question.ef;
    if (question.filter != nullptr) {
      options.allowed = &question.filter->bitmap;
      options.allowed_count = question.filter->count;
    }
    if (rows.size() == 1) {
      VETTORE_ASSIGN_OR_RETURN(
          const std::vector<Neighbor> found,
          index_->Search(question.queries.span(question.first), options, CancelToken(), nullptr));
      Append(found, rows[0]);
      return absl::OkStatus();
    }
    std::vector<std::span<const float>> queries;
    for (size_t i = 0; i < rows.size(); ++i) {
      queries.push_back(question.queries.span(question.first + i));
    }
    VETTORE_ASSIGN_OR_RETURN(const std::vector<std::vector<Neighbor>> found,
                             index_->SearchBatch(queries, options, CancelToken(), {}));
    for (size_t i = 0; i < rows.size(); ++i) Append(found[i], rows[i]);
    return absl::OkStatus();
  }
  size_t memory_bytes() const override { return index_->Stats().memory_bytes; }
  bool has_filter() const override { return true; }

 private:
  static void Append(const std::vector<Neighbor>& found, std::vector<int32_t>& rows) {
    for (const Neighbor& neighbor : found) rows.push_back(static_cast<int32_t>(neighbor.slot));
  }

  const VectorConfig config_;
  const std::string vectors_folder_;
  std::unique_ptr<VectorIndex> index_;
};

}  // namespace

RowFilter RandomFilter(double share, size_t rows) {
  RowFilter filter{.share = share, .bitmap = SlotBitmap(rows), .bytes = {}, .count = 0};
  filter.bytes.resize(rows);
  std::mt19937_64 random(kFilterSeed);
  std::bernoulli_distribution admits(share);
  for (size_t i = 0; i < rows; ++i) {
    if (!admits(random) && !(i + 1 == rows && filter.count == 0)) continue;
    filter.bitmap.Insert(static_cast<Slot>(i));
    filter.bytes[i] = 1;
    ++filter.count;
  }
  return filter;
}

std::unique_ptr<PeerSystem> MakeVettoreSystem(const VectorConfig& config,
                                              const std::string& vectors_folder) {
  return std::make_unique<VettoreSystem>(config, vectors_folder);
}

}  // namespace vettore::bench
