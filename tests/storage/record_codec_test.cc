#include "storage/record_codec.h"

#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "storage/store_testing.h"
#include "storage/watermark.h"

namespace vettore {
namespace {

using storage_testing::FailsWith;

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

const PointId kText = *PointId::Parse("ab");
const Position kPosition{.epoch = 2, .seq = 0x0102};
const ShardKey kKey{.collection = 0x01020304, .shard = 0x0506};

Uuid CountingUuid() {
  Uuid uuid;
  for (uint8_t i = 0; i < 16; ++i) uuid.bytes[i] = i;
  return uuid;
}

CommitRecord Commit() { return {.store = CountingUuid(), .number = 258}; }
ShardRecord Shard() {
  return {.applied = kPosition, .trimmed = {.epoch = 1, .seq = 3}, .op_records = 4};
}
PointRecord Point() { return {.id = kText, .version = 5, .payload = "\xA0"}; }
ProducerRecord Producer() { return {.seq = 6, .position = kPosition, .unix_ms = -1}; }
std::vector<Op> Ops() {
  return {{.kind = OpKind::kUpsert, .id = kText, .slot = 7},
          {.kind = OpKind::kDelete, .id = PointId(8), .slot = 9}};
}

TEST(RecordCodec, KeysHaveTheirGoldenBytes) {
  EXPECT_EQ(Hex(ShardPrefix(kKey)), "010203040506");
  EXPECT_EQ(Hex(PointKey(kKey, 0x0708)),
            "010203040506"
            "00000708");
  EXPECT_EQ(Hex(IdKey(kKey, kText)),
            "010203040506"
            "016162");
  EXPECT_EQ(Hex(IdKey(kKey, PointId(8))),
            "010203040506"
            "000000000000000008");
  EXPECT_EQ(Hex(VectorKey(kKey, VectorOrdinal{9}, 10)),
            "010203040506"
            "0009"
            "0000000a");
  EXPECT_EQ(Hex(ProducerKey(kKey, "p")),
            "010203040506"
            "70");
  EXPECT_EQ(Hex(OpsKey(kKey, kPosition)),
            "010203040506"
            "0000000000000002"
            "0000000000000102");
}

TEST(RecordCodec, ValuesHaveTheirGoldenBytes) {
  EXPECT_EQ(Hex(EncodeCommit(Commit())),
            "01"
            "000102030405060708090a0b0c0d0e0f"
            "0201000000000000");
  EXPECT_EQ(Hex(EncodeMeta("xy")), "017879");
  EXPECT_EQ(Hex(EncodeShard(Shard())),
            "01"
            "0200000000000000"
            "0201000000000000"
            "0100000000000000"
            "0300000000000000"
            "0400000000000000");
  EXPECT_EQ(Hex(EncodePoint(Point())),
            "01"
            "0500000000000000"
            "0300"
            "016162"
            "a0");
  EXPECT_EQ(Hex(EncodeSlot(0x0102)), "0102010000");
  EXPECT_EQ(Hex(EncodeProducer(Producer())),
            "01"
            "0600000000000000"
            "0200000000000000"
            "0201000000000000"
            "ffffffffffffffff");
  EXPECT_EQ(Hex(EncodeOps(Ops())),
            "01"
            "02000000"
            "01"
            "07000000"
            "0300"
            "016162"
            "02"
            "09000000"
            "0900"
            "000000000000000008");
}

TEST(RecordCodec, ValuesComeBackAsTheyWere) {
  EXPECT_EQ(*DecodeCommit(EncodeCommit(Commit())), Commit());
  EXPECT_EQ(*DecodeMeta(EncodeMeta("xy")), "xy");
  EXPECT_EQ(*DecodeShard(EncodeShard(Shard())), Shard());
  const PointRecord point = *DecodePoint(EncodePoint(Point()));
  EXPECT_EQ(point.id, kText);
  EXPECT_EQ(point.version, 5u);
  EXPECT_EQ(point.payload, "\xA0");
  EXPECT_EQ(*DecodeSlot(EncodeSlot(258)), 258u);
  const ProducerRecord producer = *DecodeProducer(EncodeProducer(Producer()));
  EXPECT_EQ(producer.seq, 6u);
  EXPECT_EQ(producer.position, kPosition);
  EXPECT_EQ(producer.unix_ms, -1);
  const std::vector<Op> ops = *DecodeOps(EncodeOps(Ops()));
  ASSERT_EQ(ops.size(), 2u);
  EXPECT_EQ(ops[1].kind, OpKind::kDelete);
  EXPECT_EQ(ops[1].id, PointId(8));
  EXPECT_EQ(ops[1].slot, 9u);
  EXPECT_TRUE(DecodeOps(EncodeOps({}))->empty());
}

TEST(RecordCodec, AVectorIsItsHeaderAndItsFloats) {
  const float values[] = {1.0f, -2.0f};
  std::string value(kVectorHeader);
  value.append(reinterpret_cast<const char*>(values), sizeof values);
  EXPECT_EQ(Hex(value),
            "01010000"
            "0000803f"
            "000000c0");
  std::vector<float> decoded;
  EXPECT_TRUE(DecodeVector(value, decoded).ok());
  EXPECT_EQ(decoded, (std::vector<float>{1.0f, -2.0f}));
  for (size_t size = 0; size < value.size(); ++size) {
    if (size >= 4 && size % 4 == 0) continue;
    EXPECT_EQ(DecodeVector(value.substr(0, size), decoded).code(), absl::StatusCode::kDataLoss);
  }
}

// Every value cut short, of another version, or with a byte too many, is refused and never read
// past its end.
TEST(RecordCodec, DamagedValuesAreDataLoss) {
  struct Kind {
    std::string value;
    bool ends_open;  // The last part has no fixed size.
    std::function<absl::Status(std::string_view)> decode;
  };
  const std::vector<Kind> kinds = {
      {EncodeCommit(Commit()), false, [](auto v) { return DecodeCommit(v).status(); }},
      {EncodeMeta(""), true, [](auto v) { return DecodeMeta(v).status(); }},
      {EncodeShard(Shard()), false, [](auto v) { return DecodeShard(v).status(); }},
      {EncodePoint({.id = kText, .version = 1, .payload = ""}), true,
       [](auto v) { return DecodePoint(v).status(); }},
      {EncodeSlot(1), false, [](auto v) { return DecodeSlot(v).status(); }},
      {EncodeProducer(Producer()), false, [](auto v) { return DecodeProducer(v).status(); }},
      {EncodeOps(Ops()), false, [](auto v) { return DecodeOps(v).status(); }},
  };
  for (size_t i = 0; i < kinds.size(); ++i) {
    SCOPED_TRACE(i);
    const std::string& value = kinds[i].value;
    EXPECT_TRUE(kinds[i].decode(value).ok());
    for (size_t size = 0; size < value.size(); ++size) {
      // A copy of exactly that size, so that the address sanitizer sees a read past it.
      const std::vector<char> cut(value.begin(), value.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_EQ(kinds[i].decode({cut.data(), cut.size()}).code(), absl::StatusCode::kDataLoss)
          << size;
    }
    std::string other_version = value;
    other_version[0] = 2;
    EXPECT_THAT(kinds[i].decode(other_version),
                FailsWith(absl::StatusCode::kDataLoss, "version 2"));
    if (!kinds[i].ends_open) {
      EXPECT_THAT(kinds[i].decode(value + "x"), FailsWith(absl::StatusCode::kDataLoss, "too many"));
    }
  }
}

TEST(RecordCodec, ACountOfOpsThatCannotFitIsRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(DecodeOps(std::string("\x01\xFF\xFF\xFF\xFF", 5)).status(),
              FailsWith(absl::StatusCode::kDataLoss, "do not fit"));
  std::string unknown_kind = EncodeOps(Ops());
  unknown_kind[5] = 3;
  EXPECT_THAT(DecodeOps(unknown_kind).status(),
              FailsWith(absl::StatusCode::kDataLoss, "unknown op kind 3"));
}

TEST(RecordCodec, KeysOfTheWrongSizeAreDataLoss) {
  const std::string prefix = ShardPrefix(kKey);
  EXPECT_EQ(*DecodeSlotKey(PointKey(kKey, 11), prefix), 11u);
  EXPECT_EQ(*DecodeOpsKey(OpsKey(kKey, kPosition), prefix), kPosition);
  EXPECT_EQ(*DecodeIdKey(IdKey(kKey, kText), prefix), kText);
  EXPECT_EQ(DecodeSlotKey(prefix + "abc", prefix).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeOpsKey(prefix + "abc", prefix).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeIdKey(prefix, prefix).status().code(), absl::StatusCode::kDataLoss);
}

TEST(RecordCodec, PrefixEndIsTheFirstKeyPastThePrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xFF"), "b");
  EXPECT_EQ(PrefixEnd("\xFF\xFF"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

TEST(Watermark, RecordHasItsGoldenBytes) {
  const TemporaryDirectory directory;
  { auto created = Watermark::Create(directory / "W", CountingUuid(), 258); }
  std::ifstream file(directory / "W", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_EQ(bytes.size(), 4096u + 64u);
  EXPECT_EQ(Hex(bytes.substr(0, 56)),
            "565454524d41524b"
            "01000000"
            "00000000"
            "000102030405060708090a0b0c0d0e0f"
            "0201000000000000"
            "00000000000000000000000000000000");
  EXPECT_EQ(bytes.substr(4096), bytes.substr(0, 64));
}

TEST(Watermark, ATornRecordLeavesTheOneBefore) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory / "W";
  {
    auto watermark = Watermark::Create(path, CountingUuid(), 1);
    for (uint64_t number = 2; number <= 5; ++number) EXPECT_TRUE(watermark->Write(number).ok());
  }
  EXPECT_EQ(**Watermark::Read(path, CountingUuid()), 5u);
  // 2 and 4 went to the second record, 3 and 5 to the first.
  storage_testing::FlipByte(path, 33);
  EXPECT_EQ(**Watermark::Read(path, CountingUuid()), 4u);
  EXPECT_THAT(Watermark::Read(path, Uuid::Random()).status(),
              FailsWith(absl::StatusCode::kDataLoss, "belongs to"));
  storage_testing::FlipByte(path, 4096 + 33);
  EXPECT_THAT(Watermark::Read(path, CountingUuid()).status(),
              FailsWith(absl::StatusCode::kDataLoss, "neither"));
  std::filesystem::remove(path);
  EXPECT_EQ(*Watermark::Read(path, CountingUuid()), std::nullopt);
}

TEST(Uuid, ComesBackFromItsText) {
  const Uuid uuid = Uuid::Random();
  EXPECT_EQ(*Uuid::Parse(uuid.ToString()), uuid);
  EXPECT_EQ(CountingUuid().ToString(), "00010203-0405-0607-0809-0a0b0c0d0e0f");
  for (const char* bad :
       {"", "0", "00010203-0405-0607-0809-0a0b0c0d0e0g", "00010203-0405-0607-0809-0a0b0c0d0e0f0",
        "000102030405060708090a0b0c0d0e0f"}) {
    EXPECT_EQ(Uuid::Parse(bad).status().code(), absl::StatusCode::kDataLoss) << bad;
  }
}

}  // namespace
}  // namespace vettore
