#include "bench/hnswlib_peer.h"

#include <memory>
#include <queue>
#include <utility>

#include "hnswlib/hnswlib.h"

namespace vettore::bench {
namespace {

#ifdef VETTORE_HNSWLIB_HAS_FILTER
class AllowedRows : public hnswlib::BaseFilterFunctor {
 public:
  explicit AllowedRows(std::span<const uint8_t> allowed) : allowed_(allowed) {}
  bool operator()(hnswlib::labeltype row) override { return allowed_[row] != 0; }

 private:
  std::span<const uint8_t> allowed_;
};
#endif

}  // namespace

struct HnswlibPeer::State {
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
};

HnswlibPeer::HnswlibPeer(const HnswlibOptions& options, size_t capacity)
    : state_(std::make_unique<State>()) {
  if (options.is_l2) {
    state_->space = std::make_unique<hnswlib::L2Space>(options.dim);
  } else {
    state_->space = std::make_unique<hnswlib::InnerProductSpace>(options.dim);
  }
  state_->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(
      state_->space.get(), capacity, options.m, options.ef_construction);
}

HnswlibPeer::~HnswlibPeer() = default;

void HnswlibPeer::Add(size_t row, const float* vector) { state_->graph->addPoint(vector, row); }

void HnswlibPeer::SetEf(size_t ef) { state_->graph->setEf(ef); }

void HnswlibPeer::Search(const float* query, size_t k, std::span<const uint8_t> allowed,
                         std::vector<int32_t>& rows) const {
#ifdef VETTORE_HNSWLIB_HAS_FILTER
  AllowedRows filter(allowed);
  auto found = state_->graph->searchKnn(query, k, allowed.empty() ? nullptr : &filter);
#else
  (void)allowed;
  auto found = state_->graph->searchKnn(query, k);
#endif
  rows.resize(found.size());
  for (size_t i = found.size(); i-- > 0; found.pop()) {
    rows[i] = static_cast<int32_t>(found.top().second);
  }
}

size_t HnswlibPeer::memory_bytes() const {
  const auto& graph = *state_->graph;
  size_t bytes = graph.max_elements_ * graph.size_data_per_element_;
  for (size_t i = 0; i < graph.cur_element_count; ++i) {
    bytes += sizeof(void*) +
             static_cast<size_t>(graph.element_levels_[i]) * graph.size_links_per_element_;
  }
  return bytes;
}

bool HnswlibPeer::HasFilter() {
#ifdef VETTORE_HNSWLIB_HAS_FILTER
  return true;
#else
  return false;
#endif
}

}  // namespace vettore::bench
