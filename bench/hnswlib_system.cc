// hnswlib behind the interface of the comparison.
#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "bench/hnswlib_peer.h"
#include "bench/peer_systems.h"

namespace vettore::bench {
namespace {

class HnswlibSystem : public PeerSystem {
 public:
  explicit HnswlibSystem(const VectorConfig& config) {
    const HnswConfig hnsw = std::get<HnswConfig>(config.index);
    options_ = {.dim = config.dimension,
                .is_l2 = config.metric == Metric::kL2,
                .m = hnsw.m,
                .ef_construction = hnsw.ef_construction};
  }

  std::string name() const override { return "hnswlib"; }
  absl::Status Build(const Matrix<float>& base, int threads) override {
    graph_ = std::make_unique<HnswlibPeer>(options_, base.count);
    graph_->Add(0, base.row(0));
    std::atomic<size_t> next = 1;
    const auto add = [&] {
      for (size_t i = next++; i < base.count; i = next++) graph_->Add(i, base.row(i));
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(add);
    add();
    for (std::thread& other : others) other.join();
    return absl::OkStatus();
  }
  // hnswlib knows no batch: even its Python module asks the queries one by one.
  absl::Status Search(const SystemQuestion& question,
                      std::span<std::vector<int32_t>> rows) override {
    graph_->SetEf(question.ef);
    std::span<const uint8_t> allowed;
    if (question.filter != nullptr) allowed = question.filter->bytes;
    for (size_t i = 0; i < rows.size(); ++i) {
      graph_->Search(question.queries.row(question.first + i), question.k, allowed, rows[i]);
    }
    return absl::OkStatus();
  }
  size_t memory_bytes() const override { return graph_->memory_bytes(); }
  bool has_filter() const override { return HnswlibPeer::HasFilter(); }

 private:
  HnswlibOptions options_;
  std::unique_ptr<HnswlibPeer> graph_;
};

}  // namespace

std::unique_ptr<PeerSystem> MakeHnswlibSystem(const VectorConfig& config) {
  return std::make_unique<HnswlibSystem>(config);
}

}  // namespace vettore::bench
