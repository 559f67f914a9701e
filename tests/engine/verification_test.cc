// Data directories whose index files are looked through while no server has them open.
#include "engine/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include "absl/strings/str_format.h"
#include "base/checksummed_file.h"
#include "base/file.h"
#include "engine/test_database.h"
#include "storage/store.h"

namespace vettore {
namespace {

using testing::HasSubstr;

constexpr size_t kDim = 24;
constexpr uint64_t kCount = 3'000;
constexpr std::string_view kTitle = "vettore index 1\n";

// Two collections, one of a graph and one of lists, closed.
class VerificationTest : public testing::Test {
 protected:
  VerificationTest() {
    MakeCollection("graph", HnswConfig{.m = 8, .quantization = Quantization::kSq8});
    MakeCollection("lists", IvfConfig{.encoding = IvfEncoding::kPq4});
    database_.Close();
  }
  void MakeCollection(std::string_view name, const IndexConfig& kind) {
    ASSERT_TRUE(database_->Create(NameFor(name), OneVector(kDim, Metric::kL2, kind)).ok());
    Upsert(name, kCount);
  }
  void Upsert(std::string_view name, uint64_t count) {
    const auto collection = *database_->Get(NameFor(name));
    std::normal_distribution<float> normal;
    std::vector<PointWrite> points;
    for (uint64_t id = 0; id < count; ++id) {
      std::vector<float> vector(kDim);
      for (float& value : vector) value = normal(random_);
      points.push_back(MakePoint(PointId(id), std::move(vector)));
    }
    ASSERT_TRUE(Write(*collection, vettore::Upsert(std::move(points))).ok());
    ASSERT_TRUE(collection->WaitUntilIndexed(CancelToken()).ok());
  }
  absl::StatusOr<Verification> Verify(const std::vector<std::string>& collections = {}) const {
    return VerifyDataDirectory(path(), collections);
  }
  const VerifiedIndex& Only(const absl::StatusOr<Verification>& verification) const {
    EXPECT_TRUE(verification.ok()) << verification.status();
    EXPECT_EQ(verification->indexes.size(), 1U);
    return verification->indexes.at(0);
  }
  // Rewrites a checkpoint with one byte changed, and has the records name the new file.
  void ChangeByte(size_t offset, const VerifiedIndex& index) {
    auto in = ChecksummedReader::Open(*index.file, kTitle);
    ASSERT_TRUE(in.ok()) << in.status();
    std::vector<std::byte> bytes;
    std::byte byte;
    while (in->Read({&byte, 1}).ok()) bytes.push_back(byte);
    bytes.at(offset) ^= std::byte{0x40};
    auto out = ChecksummedWriter::Create(*index.file, kTitle);
    ASSERT_TRUE(out->WriteAll(std::span<const std::byte>(bytes)).ok());
    const auto hash = out->Finish();
    ASSERT_TRUE(hash.ok());
    const auto store = Store::Open({.data_dir = path()});
    ASSERT_TRUE(store.ok()) << store.status();
    const auto records = (*store)->ListMeta("checkpoint/");
    for (const auto& [key, value] : *records) {
      if (!key.starts_with("checkpoint/1-")) continue;
      std::vector<Store::MetaChange> changes = {
          {.key = key,
           .expected = value,
           .value = absl::StrFormat("%c %016x", value.front(), *hash)}};
      ASSERT_TRUE((*store)->ChangeMeta(changes).ok());
    }
  }
  // What there is, and its bytes.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
      const auto written = std::filesystem::last_write_time(entry.path());
      std::string& file = files[entry.path().string()];
      file = std::to_string(written.time_since_epoch().count());
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      file.append(std::istreambuf_iterator<char>(in), {});
    }
    return files;
  }
  std::filesystem::path path() const { return database_.path(); }

  mutable TestDatabase database_;
  std::mt19937 random_{3};
};

TEST_F(VerificationTest, FindsSoundIndexesSoundAndChangesNothing) {
  const auto before = Files();
  const auto verification = Verify();
  ASSERT_TRUE(verification.ok()) << verification.status();
  EXPECT_TRUE(verification->is_sound());
  ASSERT_EQ(verification->indexes.size(), 2U);
  EXPECT_EQ(verification->indexes[0].collection, "graph");
  EXPECT_EQ(verification->indexes[0].report.Measure("graph_rows"), kCount);
  EXPECT_EQ(verification->indexes[0].covered.epoch, 1U);
  EXPECT_EQ(verification->indexes[1].report.Measure("listed"), kCount);
  EXPECT_EQ(Files(), before);
}

TEST_F(VerificationTest, WhatWasWrittenSinceIsNoFault) {
  database_.Open();
  Upsert("graph", 1'000);  // Too few for another checkpoint; their rows are used again.
  database_.Close();
  const auto verification = Verify({"graph"});
  const VerifiedIndex& index = Only(verification);
  EXPECT_TRUE(index.report.is_sound());
  EXPECT_EQ(index.report.Measure("live"), kCount);
}

TEST_F(VerificationTest, NamesAChangedLinkThoughItsChecksumFits) {
  const VerifiedIndex index = Only(Verify({"graph"}));
  // Two heads, stamps, bytes, centre, the graph's head; then the links: the third byte of one.
  ChangeByte(16 + 40 + kCount * 9 + kDim * 4 + 24 + 7 * 64 + 2, index);
  const VerifiedIndex changed = Only(Verify({"graph"}));
  EXPECT_EQ(changed.report.CountOf(faults::kLinkOutside), 1U);
  EXPECT_FALSE(Verify()->is_sound());
  database_.Open();  // And a start does not trust it either.
  EXPECT_TRUE(std::filesystem::exists(path() / "index" / "1-0" / "0" / "checkpoint-damaged"));
}

TEST_F(VerificationTest, NamesFilesThatAreDamagedMissingOrForeign) {
  const VerifiedIndex index = Only(Verify({"graph"}));
  {
    std::fstream file(*index.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(90'000);
    file.put('?');
  }
  EXPECT_EQ(Only(Verify({"graph"})).report.CountOf(faults::kUnreadable), 1U);
  const VerifiedIndex lists = Only(Verify({"lists"}));
  std::filesystem::copy_file(*lists.file, *index.file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(Only(Verify({"graph"})).report.CountOf(faults::kFile), 2U);
  std::filesystem::remove(*index.file);
  EXPECT_EQ(Only(Verify({"graph"})).report.CountOf(faults::kUnreadable), 1U);
  std::filesystem::remove(path() / "index" / "2-0" / "0" / "vectors");
  const VerifiedIndex without = Only(Verify({"lists"}));
  EXPECT_THAT(without.report.findings().at(0).first, HasSubstr("vectors"));
}

TEST_F(VerificationTest, AServerAndAVerificationKeepEachOtherOut) {
  database_.Open();
  const auto refused = Verify();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("in use by another process"));
  database_.Close();
  const auto reader = StoreReader::Open(path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE(StoreReader::Open(path()).ok());  // Others may read.
  const auto opened = Database::Open({.data_dir = path()});
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status()));
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("vettore verify"));
}

TEST_F(VerificationTest, WhatIsNotThereIsNamed) {
  EXPECT_TRUE(absl::IsNotFound(Verify({"grap"}).status()));
  EXPECT_THAT(std::string(Verify({"grap"}).status().message()), HasSubstr("'graph'"));
  const TemporaryDirectory empty;
  EXPECT_TRUE(absl::IsNotFound(VerifyDataDirectory(empty.path(), {}).status()));
  EXPECT_TRUE(std::filesystem::is_empty(empty.path()));
}

}  // namespace
}  // namespace vettore
