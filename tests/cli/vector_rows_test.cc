// Vectors and ids out of .npy, .fvecs and .bvecs: what is right is read, what is wrong is named.
#include "cli/format/vector_rows.h"

#include <cstring>

#include "cli/format/id_list.h"
#include "cli/format/npy_header.h"
#include "cli/input_files.h"

namespace vettore {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

template <typename T>
std::string BytesOf(std::initializer_list<T> values) {
  std::string bytes;
  for (const T& value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

std::string Npy(const std::string& dictionary, const std::string& data, char major = 1) {
  std::string file = "\x93NUMPY";
  file += major;
  file += '\0';
  std::string padded = dictionary;
  const size_t head = major == 1 ? 10 : 12;
  while ((head + padded.size() + 1) % 64 != 0) padded += ' ';
  padded += '\n';
  const auto length = static_cast<uint32_t>(padded.size());
  file.append(reinterpret_cast<const char*>(&length), major == 1 ? 2 : 4);
  return file + padded + data;
}

std::string Dictionary(const std::string& type, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

class VectorRowsTest : public InputFiles {
 protected:
  absl::StatusOr<std::vector<std::vector<float>>> ReadAll(
      const std::string& bytes, VectorFormat format = VectorFormat::kNpy,
      OneDimensional one_dimensional = OneDimensional::kRefuse) {
    absl::StatusOr<std::unique_ptr<VectorRows>> rows =
        OpenVectorRows(FileOf(bytes), format, one_dimensional);
    if (!rows.ok()) return rows.status();
    std::vector<std::vector<float>> all;
    std::vector<float> row;
    while (true) {
      const absl::StatusOr<bool> read = (*rows)->Next(row);
      if (!read.ok()) return read.status();
      if (!*read) return all;
      all.push_back(row);
    }
  }
  absl::StatusOr<std::vector<std::string>> ReadIds(const std::string& name,
                                                   const std::string& bytes) {
    absl::StatusOr<std::unique_ptr<IdList>> ids = OpenIdList(Write(name, bytes));
    if (!ids.ok()) return ids.status();
    std::vector<std::string> all;
    while (true) {
      const absl::StatusOr<std::optional<PointId>> id = (*ids)->Next();
      if (!id.ok()) return id.status();
      if (!*id) return all;
      all.push_back((*id)->ToString());
    }
  }
};

TEST_F(VectorRowsTest, NpyOfEveryTypeAndVersionIsRead) {
  const std::string floats = BytesOf<float>({1, -2, 0.5F, 3});
  for (const char major : {1, 2, 3}) {
    const auto rows = ReadAll(Npy(Dictionary("<f4", "(2, 2)"), floats, major));
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_THAT(*rows, ElementsAre(ElementsAre(1, -2), ElementsAre(0.5, 3)));
  }
  const auto doubles = ReadAll(Npy(Dictionary("<f8", "(1, 2)"), BytesOf<double>({0.25, -8})));
  ASSERT_TRUE(doubles.ok()) << doubles.status();
  EXPECT_THAT(*doubles, ElementsAre(ElementsAre(0.25, -8)));
  // 1.0, -2.0, the largest half, the smallest subnormal.
  const auto halves =
      ReadAll(Npy(Dictionary("<f2", "(1, 4)"), BytesOf<uint16_t>({0x3C00, 0xC000, 0x7BFF, 1})));
  ASSERT_TRUE(halves.ok()) << halves.status();
  EXPECT_THAT(*halves, ElementsAre(ElementsAre(1, -2, 65504, FloatEq(0x1p-24F))));
  const auto bytes = ReadAll(Npy(Dictionary("|i1", "(2, 1)"), BytesOf<int8_t>({-128, 127})));
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, ElementsAre(ElementsAre(-128), ElementsAre(127)));
  const auto unsigned_bytes = ReadAll(Npy(Dictionary("|u1", "(1,1)"), BytesOf<uint8_t>({200})));
  ASSERT_TRUE(unsigned_bytes.ok()) << unsigned_bytes.status();
  EXPECT_THAT(*unsigned_bytes, ElementsAre(ElementsAre(200)));
}

TEST_F(VectorRowsTest, NpyHeaderWrittenHereIsReadBack) {
  const std::string header = WriteNpyHeader({3, 2});
  EXPECT_EQ(header.size(), kNpyHeaderBytes);
  const auto rows = ReadAll(header + BytesOf<float>({1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), 3u);
}

TEST_F(VectorRowsTest, MalformedNpyNamesFileAndByte) {
  const std::string data = BytesOf<float>({1, 2, 3, 4});
  const std::string good = Npy(Dictionary("<f4", "(2, 2)"), data);
  ExpectInvalid(ReadAll("PK\x03\x04 not numpy"), {"input", "byte 0", "NUMPY"});
  ExpectInvalid(ReadAll(good.substr(0, 5)), {"byte 0"});
  ExpectInvalid(ReadAll(good.substr(0, 30)), {"cut short"});
  ExpectInvalid(ReadAll(good.substr(0, good.size() - 3)), {"wants 16 bytes", "holds 13", "cut"});
  ExpectInvalid(ReadAll(good + "x"), {"wants 16 bytes", "holds 17"});
  ExpectInvalid(ReadAll(Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", data)),
                {"Fortran order", "ascontiguousarray"});
  ExpectInvalid(ReadAll(Npy(Dictionary(">f4", "(2, 2)"), data)), {">f4", "astype"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(2, 3)"), data)), {"wants 24 bytes"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(4,)"), data)), {"(4)", "(count, dimension)"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(4, 0)"), "")), {"dimension 0"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<i4", "(2, 2)"), data)), {"<i4", "vectors are"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(18446744073709551615, 2)"), data)), {"64 bits"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(99999999999999999999, 2)"), data)), {"64 bits"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(-2, 2)"), data)), {"number of the shape"});
  ExpectInvalid(ReadAll(Npy("{'descr': '<f4', 'shape': (2, 2)}", data)), {"lacks"});
  ExpectInvalid(ReadAll(Npy("{'descr': [('a', '<f4')], }", data)), {"structured"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(2, 2)") + "{}", data)), {"closing brace"});
  ExpectInvalid(ReadAll(Npy("{'descr': '<f4', 'descr': '<f4', }", data)), {"repeated"});
  ExpectInvalid(ReadAll(Npy(Dictionary("<f4", "(2, 2)"), data, 9)), {"version 9"});
}

TEST_F(VectorRowsTest, HugeNpyHeaderIsRefusedBeforeItIsRead) {
  std::string file = "\x93NUMPY";
  file += {'\x02', '\x00'};
  ExpectInvalid(ReadAll(file + "\xFF\xFF\xFF\xFF"), {"header of 4294967295 bytes"});
}

TEST_F(VectorRowsTest, NoTruncationOfANpyFileIsAccepted) {
  const std::string good = Npy(Dictionary("<f4", "(2, 2)"), BytesOf<float>({1, 2, 3, 4}));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ReadAll(good.substr(0, size)).ok()) << size;
  }
}

TEST_F(VectorRowsTest, OneDimensionalArrayIsOneRowWhereThatIsMeant) {
  const auto rows = ReadAll(Npy(Dictionary("<f4", "(2,)"), BytesOf<float>({1, 2})),
                            VectorFormat::kNpy, OneDimensional::kOneRow);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(*rows, ElementsAre(ElementsAre(1, 2)));
}

TEST_F(VectorRowsTest, FvecsAndBvecsAreRead) {
  const std::string dimension = BytesOf<int32_t>({2});
  const auto floats =
      ReadAll(dimension + BytesOf<float>({1, 2}) + dimension + BytesOf<float>({3, 4}),
              VectorFormat::kFvecs);
  ASSERT_TRUE(floats.ok()) << floats.status();
  EXPECT_THAT(*floats, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
  const auto bytes = ReadAll(dimension + "\x01\xFF", VectorFormat::kBvecs);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, ElementsAre(ElementsAre(1, 255)));
}

TEST_F(VectorRowsTest, MalformedFvecsNamesTheByte) {
  const std::string row = BytesOf<int32_t>({2}) + BytesOf<float>({1, 2});
  // Three floats and a dimension of 1 are as long as a row: only the second dimension tells.
  const std::string other = BytesOf<int32_t>({1}) + BytesOf<float>({1, 2});
  ExpectInvalid(ReadAll(row + other, VectorFormat::kFvecs), {"byte 12", "dimension 1", "have 2"});
  ExpectInvalid(ReadAll(row + row.substr(0, 7), VectorFormat::kFvecs), {"byte 12", "cut short"});
  ExpectInvalid(ReadAll("", VectorFormat::kFvecs), {"empty"});
  ExpectInvalid(ReadAll(BytesOf<int32_t>({-1}), VectorFormat::kFvecs), {"dimension -1"});
  ExpectInvalid(ReadAll(BytesOf<int32_t>({1 << 30}), VectorFormat::kFvecs), {"1 to 65536"});
}

TEST_F(VectorRowsTest, IdsAreReadFromNpyAndText) {
  const auto numbers =
      ReadIds("ids.npy", Npy(Dictionary("<i4", "(3,)"), BytesOf<int32_t>({7, 0, 2147483647})));
  ASSERT_TRUE(numbers.ok()) << numbers.status();
  EXPECT_THAT(*numbers, ElementsAre("7", "0", "2147483647"));
  const auto large =
      ReadIds("ids.npy", Npy(Dictionary("<u8", "(1,)"), BytesOf<uint64_t>({~uint64_t{0}})));
  ASSERT_TRUE(large.ok()) << large.status();
  EXPECT_THAT(*large, ElementsAre("18446744073709551615"));
  const auto texts = ReadIds("ids.txt", "12\r\nabc\n007\n18446744073709551616\n");
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_THAT(*texts, ElementsAre("12", "'abc'", "'007'", "'18446744073709551616'"));
}

TEST_F(VectorRowsTest, BadIdsNameThePlace) {
  ExpectInvalid(ReadIds("ids.npy", Npy(Dictionary("<i8", "(1,)"), BytesOf<int64_t>({-5}))),
                {"ids.npy", "-5", "negative"});
  ExpectInvalid(ReadIds("ids.npy", Npy(Dictionary("<f4", "(1,)"), BytesOf<float>({1}))),
                {"<f4", "ids are"});
  ExpectInvalid(ReadIds("ids.npy", Npy(Dictionary("<i4", "(1, 1)"), BytesOf<int32_t>({1}))),
                {"(1, 1)"});
  ExpectInvalid(ReadIds("ids.txt", "a\n\nb\n"), {"ids.txt:2"});
  ExpectInvalid(ReadIds("ids.txt", "a\n" + std::string(300, 'x') + "\n"), {"ids.txt:2", "300"});
}

}  // namespace
}  // namespace vettore
