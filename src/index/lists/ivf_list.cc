// Laying out the blocks of inverted lists.
#include "index/lists/ivf_list.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

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

// `count` empty blocks one behind the other.
std::shared_ptr<std::byte> AllocateBlocks(size_t count, size_t code_bytes) {
  const size_t block_bytes = IvfBlock::SizeBytes(code_bytes);
  std::shared_ptr<std::byte> blocks(
      static_cast<std::byte*>(
          ::operator new (count* block_bytes, std::align_val_t{IvfBlock::kAlignment})),
      AlignedDelete());
  for (size_t i = 0; i < count; ++i) {
    std::byte* const block = blocks.get() + i * block_bytes;
    std::fill_n(reinterpret_cast<Row*>(block), kRows, kNoRow);
    std::fill_n(reinterpret_cast<float*>(block) + kRows, kRows,
                std::numeric_limits<float>::infinity());
    std::memset(block + kRows * sizeof(uint64_t), 0, kRows * code_bytes);
  }
  return blocks;
}

}  // namespace

void CodedRows::Append(const CodedRows& other, size_t i) {
  rows.push_back(other.rows[i]);
  biases.push_back(other.biases[i]);
  const auto code = other.codes.begin() + static_cast<ptrdiff_t>(i * code_bytes);
  codes.insert(codes.end(), code, code + static_cast<ptrdiff_t>(code_bytes));
}

void CodedRows::Reserve(size_t count) {
  rows.reserve(count);
  biases.reserve(count);
  codes.reserve(count * code_bytes);
}

IvfList::IvfList(const CodedRows& coded, std::span<const uint32_t> which)
    : code_bytes_(coded.code_bytes), size_(which.size()) {
  const size_t count = (size_ + kRows - 1) / kRows;
  if (count == 0) return;
  const std::shared_ptr<std::byte> bytes = AllocateBlocks(count, code_bytes_);
  Place(coded, which, bytes.get(), 0);
  AddBlocks(bytes, count);
}

void IvfList::AddBlocks(const std::shared_ptr<std::byte>& bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) blocks_.emplace_back(bytes, bytes.get() + i * block_bytes());
}

absl::Status IvfList::Save(ChecksummedWriter& out) const {
  for (const Bytes& block : blocks_) {
    VETTORE_RETURN_IF_ERROR(out.Write({block.get(), block_bytes()}));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const IvfList>> IvfList::Load(const Extent& extent, Row end,
                                                             ChecksummedReader& in) {
  auto list = std::make_shared<IvfList>(extent.code_bytes);
  list->size_ = extent.rows;
  const size_t count = (extent.rows + kRows - 1) / kRows;
  if (count == 0) return list;
  const std::shared_ptr<std::byte> bytes = AllocateBlocks(count, extent.code_bytes);
  VETTORE_RETURN_IF_ERROR(in.Read({bytes.get(), count * list->block_bytes()}));
  list->AddBlocks(bytes, count);
  for (size_t i = 0; i < count * kRows; ++i) {
    const Row row = list->row(i);
    if (i < extent.rows ? row >= end : row != kNoRow) {
      return absl::DataLossError(StrCat("a list holds row ", row, " of ", end));
    }
  }
  return list;
}

std::shared_ptr<const IvfList> IvfList::With(const CodedRows& coded,
                                             std::span<const uint32_t> which) const {
  auto longer = std::make_shared<IvfList>(*this);
  const size_t in_last = size_ % kRows;
  const size_t added = (in_last + which.size() + kRows - 1) / kRows;
  if (added == 0) return longer;
  const std::shared_ptr<std::byte> bytes = AllocateBlocks(added, code_bytes_);
  if (in_last > 0) {
    std::memcpy(bytes.get(), blocks_.back().get(), block_bytes());
    longer->blocks_.pop_back();
  }
  Place(coded, which, bytes.get(), in_last);
  longer->AddBlocks(bytes, added);
  longer->size_ = size_ + which.size();
  return longer;
}

// From place `begin` of the first block on.
void IvfList::Place(const CodedRows& coded, std::span<const uint32_t> which, std::byte* blocks,
                    size_t begin) const {
  for (size_t i = 0; i < which.size(); ++i) {
    const size_t place = (begin + i) % kRows;
    std::byte* const block = blocks + (begin + i) / kRows * IvfBlock::SizeBytes(code_bytes_);
    reinterpret_cast<Row*>(block)[place] = coded.rows[which[i]];
    reinterpret_cast<float*>(block)[kRows + place] = coded.biases[which[i]];
    auto* const codes = reinterpret_cast<uint8_t*>(block + kRows * sizeof(uint64_t));
    const uint8_t* const code = coded.codes.data() + which[i] * code_bytes_;
    for (size_t j = 0; j < code_bytes_; ++j) codes[j * kRows + place] = code[j];
  }
}

void IvfList::CopyTo(CodedRows& out, size_t i) const {
  const IvfBlock from = block(i / kRows);
  const size_t place = i % kRows;
  out.rows.push_back(from.rows()[place]);
  out.biases.push_back(from.biases()[place]);
  for (size_t j = 0; j < code_bytes_; ++j) out.codes.push_back(from.codes()[j * kRows + place]);
}

size_t IvfTable::memory_bytes() const {
  size_t bytes = centroids->memory_bytes() + lists.size() * sizeof(lists[0]);
  for (const auto& list : lists) bytes += list->memory_bytes();
  return bytes;
}

}  // namespace vettore
