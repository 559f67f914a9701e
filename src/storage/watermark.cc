#include "storage/watermark.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr size_t kRecordBytes = 64;
constexpr size_t kHashedBytes = 56;
constexpr size_t kRecordStride =
    4096;  // Apart, so that one damaged sector or page does not hold both.
constexpr size_t kFileBytes = kRecordStride + kRecordBytes;
constexpr std::string_view kMagic = "VTTRMARK";
constexpr uint32_t kFormat = 1;

std::string EncodeRecord(const Uuid& store, uint64_t number) {
  std::string record(kRecordBytes, '\0');
  std::memcpy(record.data(), kMagic.data(), kMagic.size());
  std::memcpy(record.data() + 8, &kFormat, sizeof kFormat);
  std::memcpy(record.data() + 16, store.bytes.data(), store.bytes.size());
  std::memcpy(record.data() + 32, &number, sizeof number);
  const uint64_t hash = Hash64(std::string_view(record).substr(0, kHashedBytes));
  std::memcpy(record.data() + kHashedBytes, &hash, sizeof hash);
  return record;
}

struct Record {
  Uuid store;
  uint64_t number = 0;
};

// nullopt when it is not whole.
std::optional<Record> DecodeRecord(std::string_view bytes) {
  if (bytes.size() != kRecordBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  uint64_t hash = 0;
  std::memcpy(&hash, bytes.data() + kHashedBytes, sizeof hash);
  if (hash != Hash64(bytes.substr(0, kHashedBytes))) return std::nullopt;
  Record record;
  std::memcpy(record.store.bytes.data(), bytes.data() + 16, record.store.bytes.size());
  std::memcpy(&record.number, bytes.data() + 32, sizeof record.number);
  return record;
}

}  // namespace

absl::StatusOr<std::optional<uint64_t>> Watermark::Read(const std::filesystem::path& path,
                                                        const Uuid& store) {
  const absl::StatusOr<std::string> file = ReadFile(path, kFileBytes);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  if (absl::IsResourceExhausted(file.status())) return absl::DataLossError(file.status().message());
  VETTORE_RETURN_IF_ERROR(file.status());
  std::optional<uint64_t> number;
  for (const size_t offset : {size_t{0}, kRecordStride}) {
    if (offset > file->size()) continue;
    const auto record = DecodeRecord(std::string_view(*file).substr(offset, kRecordBytes));
    if (!record) continue;
    if (record->store != store) {
      return absl::DataLossError(StrCat(path.string(), ": belongs to the data directory ",
                                        record->store.ToString(), ", this one is ",
                                        store.ToString()));
    }
    number = std::max(number.value_or(0), record->number);
  }
  if (number) return number;
  return absl::DataLossError(StrCat(path.string(), ": neither of its two records is whole"));
}

absl::StatusOr<Watermark> Watermark::Create(const std::filesystem::path& path, const Uuid& store,
                                            uint64_t number) {
  std::string file = EncodeRecord(store, number);
  file.resize(kRecordStride, '\0');
  file += EncodeRecord(store, number);
  VETTORE_RETURN_IF_ERROR(WriteFileAtomically(path, file));
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "open", path);
  return Watermark(path, store, fd);
}

Watermark::Watermark(Watermark&& other) noexcept
    : path_(other.path_),
      store_(other.store_),
      fd_(std::exchange(other.fd_, -1)),
      next_record_(other.next_record_) {}

Watermark::~Watermark() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Watermark::Write(uint64_t number) {
  const std::string record = EncodeRecord(store_, number);
  const off_t offset = static_cast<off_t>(next_record_) * static_cast<off_t>(kRecordStride);
  ssize_t written;
  do {
    written = pwrite(fd_, record.data(), record.size(), offset);
  } while (written < 0 && errno == EINTR);
  if (written < 0) return ErrnoStatus(errno, "write", path_);
  if (static_cast<size_t>(written) != record.size()) {
    return absl::UnavailableError(
        StrCat(path_.string(), ": ", written, " of ", record.size(), " bytes were written"));
  }
  if (fdatasync(fd_) != 0) return ErrnoStatus(errno, "fdatasync", path_);
  next_record_ = 1 - next_record_;
  return absl::OkStatus();
}

}  // namespace vettore
