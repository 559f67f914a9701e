// Laying out the blocks of inverted lists.
#include "index/lists/ivf_list.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kRows = IvfBlock::kRows;

struct AlignedDelete {
  void operator()(const std::byte* bytes) const {
    ::operator delete (const_cast<std::byte*>(bytes), std::align_val_t{IvfBlock::kAlignment});
  }
};

size_t BlocksFor(size_t rows) { return (rows + kRows - 1) / kRows; }

}  // namespace

void CodedRows::Append(const CodedRows& other, size_t i) {
  rows.push_back(other.rows[i]);
  biases.push_back(other.biases[i]);
  if (!other.factors.empty()) factors.push_back(other.factors[i]);
  const auto code = other.codes.begin() + static_cast<ptrdiff_t>(i * code_bytes);
  codes.insert(codes.end(), code, code + static_cast<ptrdiff_t>(code_bytes));
}

void CodedRows::Reserve(size_t count) {
  rows.reserve(count);
  biases.reserve(count);
  codes.reserve(count * code_bytes);
}

IvfList::IvfList(const IvfListShape& shape, const CodedRows& coded, std::span<const uint32_t> which)
    : shape_(shape), size_(which.size()) {
  if (size_ == 0) return;
  const std::shared_ptr<std::byte> bytes = Allocate(size_);
  Place(coded, which, bytes.get(), 0);
  AddBlocks(bytes, BlocksFor(size_));
}

size_t IvfList::BytesFor(size_t rows) const {
  if (shape_.vectors == nullptr) return BlocksFor(rows) * block_bytes();
  return BlocksFor(rows) * IvfBlock::kHeadBytes + rows * shape_.row_bytes();
}

std::shared_ptr<std::byte> IvfList::Allocate(size_t rows) const {
  std::shared_ptr<std::byte> blocks(static_cast<std::byte*>(::operator new (
                                        BytesFor(rows), std::align_val_t{IvfBlock::kAlignment})),
                                    AlignedDelete());
  for (size_t i = 0; i < BlocksFor(rows); ++i) {
    std::byte* const block = blocks.get() + i * block_bytes();
    std::fill_n(reinterpret_cast<Row*>(block), kRows, kNoRow);
    std::fill_n(reinterpret_cast<float*>(block) + kRows, kRows,
                std::numeric_limits<float>::infinity());
    std::memset(block + IvfBlock::kHeadBytes, 0, kRows * shape_.coded_bytes());
  }
  return blocks;
}

void IvfList::AddBlocks(const std::shared_ptr<std::byte>& bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) blocks_.emplace_back(bytes, bytes.get() + i * block_bytes());
}

absl::Status IvfList::Save(ChecksummedWriter& out) const {
  for (const Bytes& block : blocks_) {
    VETTORE_RETURN_IF_ERROR(
        out.Write({block.get(), IvfBlock::kHeadBytes + kRows * shape_.coded_bytes()}));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const IvfList>> IvfList::Load(const IvfListShape& shape,
                                                             const Extent& extent,
                                                             ChecksummedReader& in) {
  auto list = std::make_shared<IvfList>(shape);
  list->size_ = extent.rows;
  if (extent.rows == 0) return list;
  const std::shared_ptr<std::byte> bytes = list->Allocate(extent.rows);
  list->AddBlocks(bytes, BlocksFor(extent.rows));
  for (size_t i = 0; i < list->block_count(); ++i) {
    std::byte* const block = bytes.get() + i * list->block_bytes();
    VETTORE_RETURN_IF_ERROR(in.Read({block, IvfBlock::kHeadBytes + kRows * shape.coded_bytes()}));
  }
  if (!extent.end.has_value()) return list;
  for (size_t i = 0; i < list->block_count() * kRows; ++i) {
    const Row row = list->row(i);
    if (i < extent.rows ? row >= *extent.end : row != kNoRow) {
      return absl::DataLossError(StrCat("a list holds row ", row, " of ", *extent.end));
    }
    if (i < extent.rows) {
      list->CopyVector(row, bytes.get() + i / kRows * list->block_bytes(), i % kRows);
    }
  }
  return list;
}

std::shared_ptr<const IvfList> IvfList::With(const CodedRows& coded,
                                             std::span<const uint32_t> which) const {
  auto longer = std::make_shared<IvfList>(*this);
  const size_t in_last = size_ % kRows;
  if (in_last + which.size() == 0) return longer;
  const std::shared_ptr<std::byte> bytes = Allocate(in_last + which.size());
  if (in_last > 0) {
    std::memcpy(bytes.get(), blocks_.back().get(), BytesFor(in_last));
    longer->blocks_.pop_back();
  }
  Place(coded, which, bytes.get(), in_last);
  longer->AddBlocks(bytes, BlocksFor(in_last + which.size()));
  longer->size_ = size_ + which.size();
  return longer;
}

// From place `begin` of the first block on.
void IvfList::Place(const CodedRows& coded, std::span<const uint32_t> which, std::byte* blocks,
                    size_t begin) const {
  for (size_t i = 0; i < which.size(); ++i) {
    const size_t place = (begin + i) % kRows;
    std::byte* const block = blocks + (begin + i) / kRows * block_bytes();
    reinterpret_cast<Row*>(block)[place] = coded.rows[which[i]];
    reinterpret_cast<float*>(block)[kRows + place] = coded.biases[which[i]];
    auto* const codes = reinterpret_cast<uint8_t*>(block + IvfBlock::kHeadBytes);
    const uint8_t* const code = coded.codes.data() + which[i] * shape_.code_bytes;
    for (size_t j = 0; j < shape_.code_bytes; ++j) codes[j * kRows + place] = code[j];
    if (shape_.has_factors) {
      reinterpret_cast<float*>(codes + kRows * shape_.code_bytes)[place] = coded.factors[which[i]];
    }
    CopyVector(coded.rows[which[i]], block, place);
  }
}

// Of lists that hold vectors.
void IvfList::CopyVector(Row row, std::byte* block, size_t place) const {
  if (shape_.vectors == nullptr) return;
  std::memcpy(block + IvfBlock::kHeadBytes + place * shape_.row_bytes(),
              shape_.vectors->vector(row), shape_.row_bytes());
}

void IvfList::CopyTo(CodedRows& out, size_t i) const {
  const IvfBlock from = block(i / kRows);
  const size_t place = i % kRows;
  out.rows.push_back(from.rows()[place]);
  out.biases.push_back(from.biases()[place]);
  if (shape_.has_factors) out.factors.push_back(from.factors(shape_)[place]);
  for (size_t j = 0; j < shape_.code_bytes; ++j) {
    out.codes.push_back(from.codes()[j * kRows + place]);
  }
}

void IvfTable::SetCentroids(Centroids values, Metric metric) {
  centroids = std::make_shared<const Centroids>(std::move(values));
  ranking = std::make_shared<const ListRanking>(centroids, metric);
}

size_t IvfTable::memory_bytes() const {
  size_t bytes =
      centroids->memory_bytes() + ranking->memory_bytes() + lists.size() * sizeof(lists[0]);
  for (const auto& list : lists) bytes += list->memory_bytes();
  return bytes;
}

}  // namespace vettore
