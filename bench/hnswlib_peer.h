// hnswlib as a peer. What its headers need stays within hnswlib_peer.cc, which is compiled for this
// very machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vettore::bench {

struct HnswlibOptions {
  size_t dim = 0;
  bool is_l2 = true;  // Else the inner product.
  size_t m = 16;
  size_t ef_construction = 200;
};

// One of hnswlib's HierarchicalNSW<float>. Searches are thread-safe between changes.
class HnswlibPeer {
 public:
  // What hnswlib throws (no memory) ends the program.
  HnswlibPeer(const HnswlibOptions& options, size_t capacity);
  ~HnswlibPeer();
  HnswlibPeer(const HnswlibPeer&) = delete;
  HnswlibPeer& operator=(const HnswlibPeer&) = delete;

  // row: less than the capacity, and new. vector: (dim).
  void Add(size_t row, const float* vector);
  // ef as of the following searches.
  void SetEf(size_t ef);
  // Appends up to k rows, nearest first. `allowed`: a byte for each row, not 0 where the row is
  // admitted; empty admits all. It needs HasFilter().
  void Search(const float* query, size_t k, std::span<const uint8_t> allowed,
              std::vector<int32_t>& rows) const;

  // Vectors, labels and links, without allocator overhead.
  size_t memory_bytes() const;
  // Whether these headers know filtered search (0.7 and later).
  static bool HasFilter();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vettore::bench
