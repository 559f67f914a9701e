#include "storage/record_codec.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are copied as they lie in memory");

constexpr uint8_t kVersion = 1;

template <typename Integer>
void AppendBigEndian(std::string& out, Integer value) {
  for (size_t i = sizeof value; i-- > 0;) out += static_cast<char>(value >> (8 * i));
}

template <typename Integer>
void AppendLittleEndian(std::string& out, Integer value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

std::string Versioned() { return std::string(1, static_cast<char>(kVersion)); }

void AppendPosition(std::string& out, Position position) {
  AppendLittleEndian(out, position.epoch);
  AppendLittleEndian(out, position.seq);
}

void AppendId(std::string& out, const PointId& id) {
  const std::string encoded = id.Encode();
  AppendLittleEndian(out, static_cast<uint16_t>(encoded.size()));
  out += encoded;
}

// Reads a value from front to back; the first failure sticks and names what was wanted. Externally
// synchronised.
class ValueReader {
 public:
  explicit ValueReader(std::string_view value) : rest_(value), size_(value.size()) {
    const uint8_t version = Read<uint8_t>("a version");
    if (status_.ok() && version != kVersion) {
      status_ =
          absl::DataLossError(StrCat("version ", version, " where ", kVersion, " was expected"));
    }
  }

  template <typename Integer>
  Integer Read(std::string_view what) {
    static_assert(std::is_integral_v<Integer>);
    Integer value = 0;
    const std::string_view bytes = ReadBytes(sizeof value, what);
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  // Empty when there are fewer.
  std::string_view ReadBytes(size_t count, std::string_view what) {
    if (!status_.ok()) return {};
    if (count > rest_.size()) {
      status_ = absl::DataLossError(StrCat(what, " of ", count, " bytes expected at offset ",
                                           size_ - rest_.size(), ", the value ends at ", size_));
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  std::string_view ReadRest() { return ReadBytes(status_.ok() ? rest_.size() : 0, "the rest"); }

  Position ReadPosition() {
    const auto epoch = Read<uint64_t>("an epoch");
    return {.epoch = epoch, .seq = Read<uint64_t>("a seq")};
  }

  PointId ReadId() {
    const size_t size = Read<uint16_t>("the size of an id");
    const std::string_view bytes = ReadBytes(size, "an id");
    if (!status_.ok()) return PointId(0);
    absl::StatusOr<PointId> id = PointId::Decode(bytes);
    if (id.ok()) return *std::move(id);
    status_ = absl::DataLossError(id.status().message());
    return PointId(0);
  }

  size_t rest_size() const { return rest_.size(); }
  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  const absl::Status& status() const { return status_; }

  // The status of the whole value, which must have been read to its end.
  absl::Status Finish() {
    if (status_.ok() && !rest_.empty()) {
      status_ = absl::DataLossError(StrCat(rest_.size(), " bytes too many in a value of ", size_));
    }
    return status_;
  }

 private:
  std::string_view rest_;
  const size_t size_;
  absl::Status status_;
};

// What follows `prefix`, of `size` bytes (0: any size).
absl::StatusOr<std::string_view> KeyTail(std::string_view key, std::string_view prefix,
                                         size_t size) {
  if (!key.starts_with(prefix) || (size != 0 && key.size() != prefix.size() + size)) {
    return absl::DataLossError(
        StrCat("a key of ", prefix.size() + size, " bytes was expected, it has ", key.size()));
  }
  return key.substr(prefix.size());
}

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace

std::string ShardPrefix(ShardKey shard) {
  std::string key;
  AppendBigEndian(key, shard.collection);
  AppendBigEndian(key, shard.shard);
  return key;
}

std::string PointKey(ShardKey shard, Slot slot) {
  std::string key = ShardPrefix(shard);
  AppendBigEndian(key, slot);
  return key;
}

std::string IdKey(ShardKey shard, const PointId& id) { return ShardPrefix(shard) + id.Encode(); }

std::string VectorPrefix(ShardKey shard, VectorOrdinal ordinal) {
  std::string key = ShardPrefix(shard);
  AppendBigEndian(key, static_cast<uint16_t>(ordinal));
  return key;
}

std::string VectorKey(ShardKey shard, VectorOrdinal ordinal, Slot slot) {
  std::string key = VectorPrefix(shard, ordinal);
  AppendBigEndian(key, slot);
  return key;
}

std::string ProducerKey(ShardKey shard, std::string_view producer) {
  return ShardPrefix(shard).append(producer);
}

std::string OpsKey(ShardKey shard, Position position) {
  std::string key = ShardPrefix(shard);
  AppendBigEndian(key, position.epoch);
  AppendBigEndian(key, position.seq);
  return key;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xFF) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

absl::StatusOr<Slot> DecodeSlotKey(std::string_view key, std::string_view prefix) {
  VETTORE_ASSIGN_OR_RETURN(const std::string_view tail, KeyTail(key, prefix, sizeof(Slot)));
  return static_cast<Slot>(ReadBigEndian(tail));
}

absl::StatusOr<PointId> DecodeIdKey(std::string_view key, std::string_view prefix) {
  VETTORE_ASSIGN_OR_RETURN(const std::string_view tail, KeyTail(key, prefix, 0));
  return PointId::Decode(tail);
}

absl::StatusOr<Position> DecodeOpsKey(std::string_view key, std::string_view prefix) {
  VETTORE_ASSIGN_OR_RETURN(const std::string_view tail, KeyTail(key, prefix, 16));
  return Position{.epoch = ReadBigEndian(tail.substr(0, 8)), .seq = ReadBigEndian(tail.substr(8))};
}

std::string EncodeCommit(const CommitRecord& record) {
  std::string value = Versioned();
  value.append(reinterpret_cast<const char*>(record.store.bytes.data()), record.store.bytes.size());
  AppendLittleEndian(value, record.number);
  return value;
}

absl::StatusOr<CommitRecord> DecodeCommit(std::string_view value) {
  ValueReader reader(value);
  CommitRecord record;
  const std::string_view uuid = reader.ReadBytes(record.store.bytes.size(), "a uuid");
  if (!uuid.empty()) std::memcpy(record.store.bytes.data(), uuid.data(), uuid.size());
  record.number = reader.Read<uint64_t>("a commit number");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return record;
}

std::string EncodeMeta(std::string_view value) { return Versioned().append(value); }

absl::StatusOr<std::string> DecodeMeta(std::string_view value) {
  ValueReader reader(value);
  const std::string_view rest = reader.ReadRest();
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return std::string(rest);
}

std::string EncodeShard(const ShardRecord& record) {
  std::string value = Versioned();
  AppendPosition(value, record.applied);
  AppendPosition(value, record.trimmed);
  AppendLittleEndian(value, record.op_records);
  return value;
}

absl::StatusOr<ShardRecord> DecodeShard(std::string_view value) {
  ValueReader reader(value);
  ShardRecord record;
  record.applied = reader.ReadPosition();
  record.trimmed = reader.ReadPosition();
  record.op_records = reader.Read<uint64_t>("a count of op records");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return record;
}

std::string EncodePoint(const PointRecord& record) {
  std::string value = Versioned();
  AppendLittleEndian(value, record.version);
  AppendId(value, record.id);
  return value += record.payload;
}

absl::StatusOr<PointRecord> DecodePoint(std::string_view value) {
  ValueReader reader(value);
  PointRecord record;
  record.version = reader.Read<uint64_t>("a point version");
  record.id = reader.ReadId();
  record.payload = reader.ReadRest();
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return record;
}

std::string EncodeSlot(Slot slot) {
  std::string value = Versioned();
  AppendLittleEndian(value, slot);
  return value;
}

absl::StatusOr<Slot> DecodeSlot(std::string_view value) {
  ValueReader reader(value);
  const Slot slot = reader.Read<Slot>("a slot");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return slot;
}

std::string EncodeProducer(const ProducerRecord& record) {
  std::string value = Versioned();
  AppendLittleEndian(value, record.seq);
  AppendPosition(value, record.position);
  AppendLittleEndian(value, record.unix_ms);
  return value;
}

absl::StatusOr<ProducerRecord> DecodeProducer(std::string_view value) {
  ValueReader reader(value);
  ProducerRecord record;
  record.seq = reader.Read<uint64_t>("a producer seq");
  record.position = reader.ReadPosition();
  record.unix_ms = reader.Read<int64_t>("a time");
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return record;
}

std::string EncodeOps(std::span<const Op> ops) {
  std::string value = Versioned();
  AppendLittleEndian(value, static_cast<uint32_t>(ops.size()));
  for (const Op& op : ops) {
    AppendLittleEndian(value, static_cast<uint8_t>(op.kind));
    AppendLittleEndian(value, op.slot);
    AppendId(value, op.id);
  }
  return value;
}

absl::StatusOr<std::vector<Op>> DecodeOps(std::string_view value) {
  constexpr size_t kSmallestOp =
      1 + 4 + 2 + 2;  // kind, slot, the size of an id and a text of one byte
  ValueReader reader(value);
  const size_t count = reader.Read<uint32_t>("a count of ops");
  if (count > reader.rest_size() / kSmallestOp) {
    reader.Fail(
        absl::DataLossError(StrCat(count, " ops do not fit into ", reader.rest_size(), " bytes")));
  }
  std::vector<Op> ops;
  if (reader.status().ok()) ops.reserve(count);
  for (size_t i = 0; i < count && reader.status().ok(); ++i) {
    Op op;
    const uint8_t kind = reader.Read<uint8_t>("the kind of an op");
    op.slot = reader.Read<Slot>("a slot");
    op.id = reader.ReadId();
    op.kind = static_cast<OpKind>(kind);
    if (op.kind != OpKind::kUpsert && op.kind != OpKind::kDelete) {
      reader.Fail(absl::DataLossError(StrCat("unknown op kind ", kind)));
    }
    ops.push_back(std::move(op));
  }
  VETTORE_RETURN_IF_ERROR(reader.Finish());
  return ops;
}

absl::Status DecodeVector(std::string_view value, std::vector<float>& out) {
  if (!value.starts_with(kVectorHeader)) {
    return absl::DataLossError("the value does not start with the header of an f32 vector");
  }
  value.remove_prefix(kVectorHeader.size());
  if (value.size() % sizeof(float) != 0) {
    return absl::DataLossError(StrCat(value.size(), " bytes are no whole number of floats"));
  }
  out.resize(value.size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), value.data(), value.size());
  return absl::OkStatus();
}

}  // namespace vettore
