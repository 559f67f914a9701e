#include "bench/vector_file.h"

#include <zstd.h>

#include <limits>

#include "bench/fixture.h"

namespace vettore::bench {
namespace {

using testing::ElementsAre;

std::string Compressed(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

class VectorFileTest : public BenchFiles {
 protected:
  absl::StatusOr<Matrix<float>> Vectors(const std::string& name, std::string_view bytes) {
    return ReadVectors(Write(name, bytes));
  }
};

TEST_F(VectorFileTest, NpyOfEveryTypeBecomesFloats) {
  const auto values = [&](const std::string& npy) {
    const auto read = Vectors("a.npy", npy);
    EXPECT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->count, 1u);
    EXPECT_EQ(read->dim, 3u);
    return read->values;
  };
  EXPECT_THAT(values(Npy<uint8_t>("|u1", "1, 3", {0, 7, 255})), ElementsAre(0, 7, 255));
  EXPECT_THAT(values(Npy<int8_t>("|i1", "1, 3", {-128, 0, 127})), ElementsAre(-128, 0, 127));
  EXPECT_THAT(values(Npy<int32_t>("<i4", "1, 3", {-5, 0, 70'000})), ElementsAre(-5, 0, 70'000));
  EXPECT_THAT(values(Npy<float>("<f4", "1, 3", {-1.5F, 0, 3e38F})), ElementsAre(-1.5F, 0, 3e38F));
  EXPECT_THAT(values(Npy<double>("<f8", "1, 3", {-1.5, 0, 0.25})), ElementsAre(-1.5F, 0, 0.25F));
  // 1, -2, the smallest subnormal.
  EXPECT_THAT(values(Npy<uint16_t>("<f2", "1, 3", {0x3C00, 0xC000, 0x0001})),
              ElementsAre(1, -2, 0x1p-24F));
}

TEST_F(VectorFileTest, VecsFilesAreRead) {
  const auto f = Vectors("a.fvecs", Vecs<float>({{1, 2}, {3, 4}, {5, 6}}));
  ASSERT_TRUE(f.ok()) << f.status();
  EXPECT_EQ(f->count, 3u);
  EXPECT_THAT(f->values, ElementsAre(1, 2, 3, 4, 5, 6));
  const auto b = Vectors("a.bvecs", Vecs<uint8_t>({{1, 255}}));
  ASSERT_TRUE(b.ok()) << b.status();
  EXPECT_THAT(b->values, ElementsAre(1, 255));
  const auto ids = ReadNeighbors(Write("a.ivecs", Vecs<int32_t>({{4, 5}, {6, 7}})));
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(ids->values, ElementsAre(4, 5, 6, 7));
}

TEST_F(VectorFileTest, ZstdIsReadAsIfItWereNotThere) {
  std::vector<float> values(300'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1'000);
  const auto read = Vectors("a.npy.zst", Compressed(Npy("<f4", "3000, 100", values)));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->values, values);
  // Two frames, one after the other, are one file.
  const std::string bytes = Vecs<float>({{1, 2}, {3, 4}});
  const auto frames =
      Vectors("a.fvecs.zst", Compressed(bytes.substr(0, 5)) + Compressed(bytes.substr(5)));
  ASSERT_TRUE(frames.ok()) << frames.status();
  EXPECT_THAT(frames->values, ElementsAre(1, 2, 3, 4));
}

TEST_F(VectorFileTest, WhatIsWrongWithAFileIsSaid) {
  const std::string good = Npy<float>("<f4", "2, 2", {1, 2, 3, 4});
  const std::string packed = Compressed(good);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::string damaged = packed;
  damaged[damaged.size() - 3] ^= 0x55;
  const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
      {"a.txt", good, "wanted a .npy, .fvecs, .bvecs or .ivecs file"},
      {"a.npy", "no", "cut off: it ends at byte 2"},
      {"a.npy", std::string(200, 'x'), "not a .npy file"},
      {"a.npy", good.substr(0, 60), "cut off"},
      {"a.npy", good.substr(0, good.size() - 1), "cut off: it ends at byte 143 where 1 more"},
      {"a.npy", good + "x", "bytes follow the last row"},
      {"a.npy", Npy<float>("<f4", "4,", {1, 2, 3, 4}), "wanted two dimensions, got (4,)"},
      {"a.npy", Npy<float>("<f4", "2, 2, 1", {1, 2, 3, 4}), "two dimensions"},
      {"a.npy", Npy<float>("<f4", "4, 0", {}), "got (4, 0)"},
      {"a.npy", Npy<float>("<f4", "0, 4", {}), "no vectors"},
      {"a.npy", Npy<float>("<c8", "2, 2", {1, 2, 3, 4}), "values, got <c8"},
      {"a.npy", Npy<float>("<f4", "2000000000, 60000", {1}), "cut off"},
      {"a.npy", Npy<float>("<f4", "2, 2", {1, 2, nan, 4}), "row 1, entry 0: wanted a finite"},
      {"a.npy.zst", good, "the compression is damaged"},
      {"a.npy.zst", packed.substr(0, packed.size() - 4), "cut off"},
      {"a.fvecs", Vecs<float>({{1, 2}, {3}}), "row 1: dimension 1, the rows before have 2"},
      {"a.fvecs", Vecs<float>({{1, 2}}) + "xy", "cut off"},
      {"a.fvecs", BytesOf(std::vector<int32_t>{-1}), "got -1"},
      {"a.fvecs", "", "no vectors"},
  };
  for (const auto& [name, bytes, part] : cases) {
    ExpectInvalid(Vectors(name, bytes), {name, part});
  }
  ExpectInvalid(ReadNeighbors(Write("b.npy", good)), {"wanted <i4 values, got <f4"});
  ExpectInvalid(ReadNeighbors(Write("b.fvecs", good)), {"wanted row numbers"});
  EXPECT_EQ(ReadVectors(folder_ / "absent.npy").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vettore::bench
