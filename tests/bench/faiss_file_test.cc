// Files that FAISS wrote are read by us, and files that we write by FAISS.
#include "bench/faiss_file.h"

#include <faiss/Index.h>
#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include "support/temporary_directory.h"

namespace vettore::bench {
namespace {

using ::testing::HasSubstr;

constexpr size_t kDim = 16;
constexpr int64_t kCount = 3'000;

class FaissFiles : public testing::Test {
 protected:
  FaissFiles() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    vectors_.resize(kCount * kDim);
    for (float& value : vectors_) value = normal(random);
    for (int64_t i = 0; i < kCount; ++i) ids_.push_back(5 + 3 * ((i * 7) % kCount));
  }

  // A file of FAISS's own making.
  std::filesystem::path WriteIndex(const char* factory) const {
    const std::unique_ptr<faiss::Index> index(
        faiss::index_factory(kDim, factory, faiss::METRIC_L2));
    index->train(kCount, vectors_.data());
    if (std::string_view(factory).find("IDMap") != std::string_view::npos) {
      index->add_with_ids(kCount, vectors_.data(), ids_.data());
    } else {
      index->add(kCount, vectors_.data());
    }
    faiss::write_index(index.get(), path().c_str());
    return path();
  }
  // What we read of it, by id.
  static std::map<uint64_t, std::vector<float>> ReadAll(const std::filesystem::path& path) {
    std::map<uint64_t, std::vector<float>> rows;
    auto reader = FaissFileReader::Open(path);
    EXPECT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ((*reader)->dim(), kDim);
    std::vector<float> row;
    while (true) {
      const absl::StatusOr<bool> read = (*reader)->Next(row);
      EXPECT_TRUE(read.ok()) << read.status();
      if (!read.ok() || !*read) break;
      rows[(*reader)->id()] = row;
    }
    EXPECT_EQ(rows.size(), (*reader)->count());
    return rows;
  }
  double MeanSquaredError(const std::vector<float>& row, int64_t number) const {
    double sum = 0;
    for (size_t d = 0; d < kDim; ++d) {
      const double error = row[d] - vectors_[static_cast<size_t>(number) * kDim + d];
      sum += error * error;
    }
    return sum / kDim;
  }
  std::filesystem::path path() const { return directory_ / "file.faiss"; }

  std::vector<float> vectors_;
  std::vector<int64_t> ids_;
  const TemporaryDirectory directory_;
};

TEST_F(FaissFiles, OfEveryKindThatCanGiveThemBackHaveTheirVectors) {
  const std::map<const char*, double> most_error = {
      {"Flat", 0},          {"HNSW8", 0},      {"IVF16,Flat", 0}, {"SQ8", 0.001},
      {"IVF16,SQ8", 0.001}, {"PQ8x4", 0.5},    {"RR,Flat", 1e-6}, {"RR,IVF16,PQ8x4", 0.5},
      {"PCAR8,Flat", 0.8},  {"PQ4x4,RFlat", 0}};
  for (const auto& [factory, error] : most_error) {
    SCOPED_TRACE(factory);
    const auto rows = ReadAll(WriteIndex(factory));
    ASSERT_EQ(rows.size(), static_cast<size_t>(kCount));
    double sum = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      sum += MeanSquaredError(rows.at(static_cast<uint64_t>(i)), i);
    }
    EXPECT_LE(sum / kCount, error);
  }
}

TEST_F(FaissFiles, GiveTheIdsOfTheirMap) {
  for (const char* factory : {"IDMap,Flat", "IDMap2,Flat", "IDMap,IVF16,Flat"}) {
    SCOPED_TRACE(factory);
    const auto rows = ReadAll(WriteIndex(factory));
    ASSERT_EQ(rows.size(), static_cast<size_t>(kCount));
    for (int64_t i = 0; i < kCount; ++i) {
      EXPECT_EQ(MeanSquaredError(rows.at(static_cast<uint64_t>(ids_[static_cast<size_t>(i)])), i),
                0);
    }
  }
}

TEST_F(FaissFiles, ThatCannotGiveThemBackSaySo) {
  std::vector<float> row;
  auto reader = FaissFileReader::Open(WriteIndex("PQ8x4fs"));
  if (reader.ok()) {  // Of fast scan some versions of FAISS can.
    const auto read = (*reader)->Next(row);
    EXPECT_TRUE(read.ok() || absl::IsInvalidArgument(read.status())) << read.status();
  }
  EXPECT_TRUE(absl::IsNotFound(FaissFileReader::Open(directory_ / "none.faiss").status()));
  std::ofstream(path()) << "this is no index";
  EXPECT_THAT(std::string(FaissFileReader::Open(path()).status().message()),
              HasSubstr("no index of FAISS"));
}

TEST_F(FaissFiles, OfOursAreReadByFaiss) {
  for (const char* factory : {"Flat", "IVF16,Flat", "HNSW8", "IVF16,PQ8x4"}) {
    SCOPED_TRACE(factory);
    auto writer = FaissFileWriter::Make(factory, kDim, Metric::kL2);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (size_t i = 0; i < kCount; ++i) {
      const absl::Status added = (*writer)->Add(static_cast<uint64_t>(ids_[i]),
                                                std::span(vectors_).subspan(i * kDim, kDim));
      ASSERT_TRUE(added.ok()) << added;
    }
    std::ofstream file(path(), std::ios::binary);
    const absl::Status finished = (*writer)->Finish([&](std::string_view bytes) {
      file << bytes;
      return absl::OkStatus();
    });
    ASSERT_TRUE(finished.ok()) << finished;
    file.close();
    const std::unique_ptr<faiss::Index> index(faiss::read_index(path().c_str()));
    ASSERT_EQ(index->ntotal, kCount);
    size_t found = 0;
    for (size_t i = 0; i < 100; ++i) {
      float distance = 0;
      faiss::Index::idx_t label = -1;
      index->search(1, vectors_.data() + i * kDim, 1, &distance, &label);
      found += label == ids_[i];
    }
    EXPECT_GE(found, std::string_view(factory).ends_with("x4") ? 20U : 95U);
  }
}

TEST_F(FaissFiles, AreRefusedWithAReason) {
  EXPECT_THAT(std::string(FaissFileWriter::Make("PQ5", kDim, Metric::kL2).status().message()),
              HasSubstr("divisor of the dimension 16"));
  auto writer = FaissFileWriter::Make("IVF64,Flat", kDim, Metric::kCosine);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(
      absl::IsInvalidArgument((*writer)->Add(uint64_t{1} << 63, std::vector<float>(kDim, 1))));
  ASSERT_TRUE((*writer)->Add(1, std::vector<float>(kDim, 1)).ok());
  const auto ignore = [](std::string_view) { return absl::OkStatus(); };
  EXPECT_TRUE(absl::IsInvalidArgument((*writer)->Finish(ignore)));  // One point for 64 lists.
  writer = FaissFileWriter::Make("Flat", kDim, Metric::kL2);
  ASSERT_TRUE((*writer)->Add(1, std::vector<float>(kDim, 1)).ok());
  const auto full = [](std::string_view) { return absl::ResourceExhaustedError("full"); };
  EXPECT_TRUE(absl::IsResourceExhausted((*writer)->Finish(full)));
}

}  // namespace
}  // namespace vettore::bench
