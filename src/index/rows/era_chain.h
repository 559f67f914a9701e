// When dead rows may be reused: after every search that could have seen them has ended.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "index/rows/row_store.h"

namespace vettore {

// A search holds the era in which it began. The rows that died during an era are released when the
// era ends, which is when its last search and all earlier eras have ended: each era holds the next
// one. Immutable to its holders.
class Era {
 public:
  explicit Era(RowStore& rows) : rows_(rows) {}
  ~Era() {
    if (!retired_.empty()) rows_.Release(retired_);
  }
  Era(const Era&) = delete;
  Era& operator=(const Era&) = delete;

 private:
  friend class EraChain;
  RowStore& rows_;
  std::vector<Row> retired_;
  std::shared_ptr<Era> next_;
};

// Externally synchronised, together with the changes of its row store, which must outlive every
// era.
class EraChain {
 public:
  explicit EraChain(RowStore& rows) : rows_(rows), current_(std::make_shared<Era>(rows)) {}

  std::shared_ptr<const Era> current() const { return current_; }

  // `row` is dead, and no search that begins from now on can reach it.
  void Retire(Row row) {
    retired_.push_back(row);
    // Batches grow with the store, so that a search that takes long is followed by a short chain of
    // eras: a chain ends recursively.
    if (retired_.size() >= std::max<size_t>(kFewRows, rows_.end() / 16)) BeginNext();
  }

  void BeginNext() {
    auto next = std::make_shared<Era>(rows_);
    current_->retired_ = std::exchange(retired_, {});
    current_->next_ = next;
    current_ = std::move(next);
  }

 private:
  static constexpr size_t kFewRows = 256;

  RowStore& rows_;
  std::shared_ptr<Era> current_;
  std::vector<Row> retired_;
};

}  // namespace vettore
