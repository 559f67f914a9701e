#include "base/checksummed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kTitleBytes = 16;
constexpr size_t kBlockBytes = size_t{1} << 20;

struct BlockHead {
  uint32_t size;
  uint32_t zero;
  uint64_t hash;
};

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

absl::StatusOr<ChecksummedWriter> ChecksummedWriter::Create(const std::filesystem::path& path,
                                                            std::string_view title) {
  VETTORE_CHECK(title.size() == kTitleBytes);
  ChecksummedWriter writer(path, -1);
  const std::filesystem::path temporary = writer.temporary();
  writer.fd_ = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (writer.fd_ < 0) return ErrnoStatus(errno, "create", temporary);
  VETTORE_RETURN_IF_ERROR(writer.WriteRaw(title));
  return writer;
}

ChecksummedWriter::ChecksummedWriter(ChecksummedWriter&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      block_(std::move(other.block_)),
      hashes_(std::move(other.hashes_)),
      status_(std::move(other.status_)) {}

ChecksummedWriter::~ChecksummedWriter() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary().c_str());
}

absl::Status ChecksummedWriter::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    VETTORE_RETURN_IF_ERROR(status_);
    const size_t taken = std::min(bytes.size(), kBlockBytes - block_.size());
    block_.append(reinterpret_cast<const char*>(bytes.data()), taken);
    bytes = bytes.subspan(taken);
    if (block_.size() == kBlockBytes) status_ = WriteBlock();
  }
  return status_;
}

absl::Status ChecksummedWriter::WriteBlock() {
  const BlockHead head{static_cast<uint32_t>(block_.size()), 0, Hash64(block_)};
  hashes_ += BytesOf(head.hash);
  VETTORE_RETURN_IF_ERROR(WriteRaw(BytesOf(head)));
  VETTORE_RETURN_IF_ERROR(WriteRaw(block_));
  block_.clear();
  return absl::OkStatus();
}

absl::Status ChecksummedWriter::WriteRaw(std::string_view bytes) {
  return WriteToEnd(fd_, bytes, temporary());
}

absl::StatusOr<uint64_t> ChecksummedWriter::Finish() {
  VETTORE_RETURN_IF_ERROR(status_);
  if (!block_.empty()) {
    VETTORE_RETURN_IF_ERROR(WriteBlock());
  }
  const BlockHead end{0, 0, Hash64(hashes_)};
  VETTORE_RETURN_IF_ERROR(WriteRaw(BytesOf(end)));
  if (fsync(fd_) != 0) return ErrnoStatus(errno, "fsync", temporary());
  if (rename(temporary().c_str(), path_.c_str()) != 0) {
    return ErrnoStatus(errno, "rename to", path_);
  }
  close(std::exchange(fd_, -1));
  VETTORE_RETURN_IF_ERROR(SyncDirectory(path_.parent_path()));
  return end.hash;
}

absl::StatusOr<ChecksummedReader> ChecksummedReader::Open(const std::filesystem::path& path,
                                                          std::string_view title) {
  VETTORE_CHECK(title.size() == kTitleBytes);
  VETTORE_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  ChecksummedReader reader(path, std::move(file));
  const std::string_view text = reader.file_.text();
  if (text.size() < kTitleBytes + sizeof(BlockHead)) return reader.Damaged("it is cut short");
  if (text.substr(0, kTitleBytes) != title) return reader.Damaged("it has another title");
  BlockHead end;
  std::memcpy(&end, text.data() + text.size() - sizeof end, sizeof end);
  if (end.size != 0) return reader.Damaged("it has no end");
  reader.hash_ = end.hash;
  reader.next_ = kTitleBytes;
  return reader;
}

absl::Status ChecksummedReader::Damaged(std::string_view what) const {
  return absl::DataLossError(StrCat(path_.string(), ": ", what, " (byte ", next_, ")"));
}

absl::Status ChecksummedReader::NextBlock() {
  const std::string_view text = file_.text();
  BlockHead head;
  if (text.size() - next_ < sizeof head) return Damaged("it is cut short");
  std::memcpy(&head, text.data() + next_, sizeof head);
  if (head.size == 0) return Damaged("it holds less than was expected");
  if (head.size > kBlockBytes || text.size() - next_ - sizeof head < head.size) {
    return Damaged("a block is cut short");
  }
  const std::string_view block = text.substr(next_ + sizeof head, head.size);
  if (head.zero != 0 || Hash64(block) != head.hash) return Damaged("a block is damaged");
  hashes_ += BytesOf(head.hash);
  block_ = block;
  next_ += sizeof head + head.size;
  return absl::OkStatus();
}

absl::Status ChecksummedReader::Read(std::span<std::byte> out) {
  while (!out.empty()) {
    if (block_.empty()) {
      VETTORE_RETURN_IF_ERROR(NextBlock());
    }
    const size_t taken = std::min(out.size(), block_.size());
    std::memcpy(out.data(), block_.data(), taken);
    block_.remove_prefix(taken);
    out = out.subspan(taken);
  }
  return absl::OkStatus();
}

absl::Status ChecksummedReader::ExpectEnd() {
  if (remaining() != sizeof(BlockHead)) {
    return Damaged("it holds more than was expected");
  }
  if (Hash64(hashes_) != hash_) return Damaged("its blocks are not those of its end");
  return absl::OkStatus();
}

}  // namespace vettore
