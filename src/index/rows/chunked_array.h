// An array of fixed-width rows that grows in chunks and never moves a row.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/strings.h"
#include "index/rows/chunk_source.h"

namespace vettore {

// Rows start as zero bytes (or as what the source's file held), without touching their memory.
// row() is safe from any thread for rows that Grow() covered before (in the order of
// happens-before); Grow() is externally synchronised.
template <typename T>
class ChunkedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // width: Ts of a row. A chunk holds a power of two of rows, so that an address costs a shift and
  // a mask.
  explicit ChunkedArray(size_t width,
                        std::unique_ptr<ChunkSource> source = std::make_unique<AnonymousChunks>())
      : width_(width), source_(std::move(source)) {
    while (ChunkBytes() < kChunkBytes || ChunkBytes() % kPage != 0) ++shift_;
    mask_ = (size_t{1} << shift_) - 1;
  }
  ChunkedArray(const ChunkedArray&) = delete;
  ChunkedArray& operator=(const ChunkedArray&) = delete;

  size_t width() const { return width_; }
  size_t capacity() const { return capacity_.load(std::memory_order_acquire); }

  // For a loop over rows: it knows the rows that Grow() covered before view() was called.
  class View {
   public:
    T* row(size_t i) const { return directory_[i >> shift_] + (i & mask_) * width_; }

   private:
    friend class ChunkedArray;
    View(T* const* directory, const ChunkedArray& array)
        : directory_(directory), width_(array.width_), shift_(array.shift_), mask_(array.mask_) {}

    T* const* directory_;
    size_t width_, shift_, mask_;
  };
  View view() const { return View(directory_.load(std::memory_order_acquire), *this); }
  T* row(size_t i) const { return view().row(i); }

  // Calls visit(span) with rows 0 to `rows` (<= capacity()) in order, in pieces that lie together,
  // until it fails; returns its status.
  template <typename Visit>
  absl::Status ForEachPiece(size_t rows, Visit visit) const {
    const View all = view();
    const size_t piece_rows = size_t{1} << shift_;
    for (size_t first = 0; first < rows; first += piece_rows) {
      const size_t count = std::min(piece_rows, rows - first);
      absl::Status status = visit(std::span<T>(all.row(first), count * width_));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Afterwards capacity() >= rows. ResourceExhausted when the system gives no memory; nothing is
  // lost then.
  absl::Status Grow(size_t rows) {
    while (chunks_.size() << shift_ < rows) {
      T* chunk = static_cast<T*>(source_->Map(ChunkBytes()));
      if (chunk == nullptr) {
        return absl::ResourceExhaustedError(StrCat("vector index: no memory for another ",
                                                   ChunkBytes(), " bytes: ", std::strerror(errno),
                                                   "; free memory or delete points"));
      }
      chunks_.push_back(chunk);
      if (chunks_.size() > directory_size_) Republish();
      directories_.back()[chunks_.size() - 1] = chunk;
      capacity_.store(chunks_.size() << shift_, std::memory_order_release);
    }
    return absl::OkStatus();
  }

 private:
  // Large enough that huge pages pay, small enough that a small collection costs address space
  // only.
  static constexpr size_t kChunkBytes = size_t{4} << 20;
  static constexpr size_t kPage = 4096;

  size_t ChunkBytes() const { return sizeof(T) * width_ << shift_; }

  // Readers may hold any older directory, so all are kept: together they are no larger than the
  // newest.
  void Republish() {
    directory_size_ = directory_size_ == 0 ? 16 : directory_size_ * 2;
    auto larger = std::make_unique<T*[]>(directory_size_);
    for (size_t i = 0; i < chunks_.size(); ++i) larger[i] = chunks_[i];
    directory_.store(larger.get(), std::memory_order_release);
    directories_.push_back(std::move(larger));
  }

  const size_t width_;
  const std::unique_ptr<ChunkSource> source_;
  size_t shift_ = 0;
  size_t mask_ = 0;

  std::atomic<T**> directory_ = nullptr;
  std::atomic<size_t> capacity_ = 0;

  std::vector<T*> chunks_;
  std::vector<std::unique_ptr<T*[]>> directories_;
  size_t directory_size_ = 0;
};

}  // namespace vettore
