// Indexes that are looked through: sound ones, and checkpoints whose damage no checksum tells.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/checksummed_file.h"
#include "index/rows/row_store.h"
#include "index/test_data.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

constexpr size_t kDim = 40;
constexpr size_t kCount = 2'000;
constexpr std::string_view kTitle = "test checkpoint\n";

void ExpectSound(const absl::StatusOr<IndexReport>& report) {
  ASSERT_TRUE(report.ok()) << report.status();
  for (const IndexFinding& finding : report->findings()) {
    ADD_FAILURE() << finding.count << " " << finding.fault << ": " << finding.first;
  }
}

// An insertion may take the last link that led to another row; a checkpoint, or a removal, gives it
// another.
void ExpectSoundWhileServing(const absl::StatusOr<IndexReport>& report) {
  ASSERT_TRUE(report.ok()) << report.status();
  for (const IndexFinding& finding : report->findings()) {
    EXPECT_EQ(finding.fault, faults::kUnreachable) << finding.first;
    EXPECT_LT(finding.count, 10U);
  }
}

// A checkpoint of an index, whose bytes can be changed with their checksums mended.
class Inspection : public testing::Test {
 protected:
  std::unique_ptr<VectorIndex> Make(const IndexConfig& kind) {
    config_.dimension = kDim;
    config_.metric = Metric::kL2;
    config_.index = kind;
    auto index = MakeVectorIndex(config_, {.folder = directory_.path()});
    EXPECT_TRUE(index.ok()) << index.status();
    return *std::move(index);
  }
  // Of 2,000 points, row 11 of which is dead.
  void MakeCheckpoint(const IndexConfig& kind) {
    const auto index = Make(kind);
    PutAll(*index, VectorSource(kDim, Metric::kL2, 1).Take(kCount));
    WaitUntilIndexed(*index);
    index->Remove(11);
    Write(*index);
    bytes_ = Payload();
  }
  void Write(VectorIndex& index) const {
    auto checkpoint = index.BeginCheckpoint();
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    ASSERT_NE(*checkpoint, nullptr);
    auto out = ChecksummedWriter::Create(file(), kTitle);
    ASSERT_TRUE((*checkpoint)->Write(*out).ok());
    ASSERT_TRUE(out->Finish().ok());
  }
  absl::StatusOr<IndexReport> Inspect(const SlotBitmap& changed = {}) const {
    auto in = ChecksummedReader::Open(file(), kTitle);
    if (!in.ok()) return in.status();
    return InspectCheckpoint(config_, directory_.path(), changed, *in);
  }
  // The report on what the checkpoint is now, with other bytes than it was written with.
  IndexReport InspectChanged() const {
    auto out = ChecksummedWriter::Create(file(), kTitle);
    EXPECT_TRUE(out->WriteAll(std::span<const std::byte>(bytes_)).ok());
    EXPECT_TRUE(out->Finish().ok());
    const auto report = Inspect();
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : IndexReport();
  }
  bool IsRefused() const {
    auto in = ChecksummedReader::Open(file(), kTitle);
    return absl::IsDataLoss(
        RestoreVectorIndex(config_, {.folder = directory_.path()}, *in).status());
  }
  template <typename T>
  T Get(size_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  template <typename T>
  void Set(size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  std::filesystem::path file() const { return directory_ / "checkpoint"; }

  VectorConfig config_;
  std::vector<std::byte> bytes_;  // Of the file, without its frame.
  const TemporaryDirectory directory_;

 private:
  std::vector<std::byte> Payload() const {
    auto in = ChecksummedReader::Open(file(), kTitle);
    std::vector<std::byte> bytes;
    std::byte byte;
    while (in->Read({&byte, 1}).ok()) bytes.push_back(byte);
    return bytes;
  }
};

class InspectionOfEveryKind : public Inspection, public testing::WithParamInterface<IndexConfig> {};

TEST_P(InspectionOfEveryKind, FindsNothingInAnIndexThatChangedMuch) {
  const auto index = Make(GetParam());
  ExpectSound(index->Inspect());
  VectorSource source(kDim, Metric::kL2, 1);
  std::mt19937 random(5);
  for (int i = 0; i < 9'000; ++i) {
    const Slot slot = random() % 2'500;
    if (i > 2'500 && random() % 3 == 0) {
      index->Remove(slot);
    } else {
      ASSERT_TRUE(index->Put(slot, source.Next()).ok());
    }
    if (i % 1'500 != 0) continue;
    const auto report = index->Inspect();  // Whatever is under way.
    if (!absl::IsUnavailable(report.status())) ExpectSoundWhileServing(report);
  }
  WaitUntilIndexed(*index);
  const auto report = index->Inspect();
  ExpectSoundWhileServing(report);
  EXPECT_EQ(report->Measure("live"), index->Stats().live);
  const auto checkpoint = index->BeginCheckpoint();
  ASSERT_TRUE(checkpoint.ok());
  if (*checkpoint == nullptr) return;
  auto out = ChecksummedWriter::Create(file(), kTitle);
  ASSERT_TRUE((*checkpoint)->Write(*out).ok());
  ASSERT_TRUE(out->Finish().ok());
  const auto of_file = Inspect();
  ExpectSound(of_file);
  EXPECT_EQ(of_file->Measure("live"), index->Stats().live);
}

INSTANTIATE_TEST_SUITE_P(Kinds, InspectionOfEveryKind,
                         testing::Values(FlatConfig{}, HnswConfig{},
                                         HnswConfig{.quantization = Quantization::kNone},
                                         HnswConfig{.m = 4, .quantization = Quantization::kRaBitQ},
                                         IvfConfig{.encoding = IvfEncoding::kFlat},
                                         IvfConfig{.encoding = IvfEncoding::kPq8},
                                         FaissConfig{.factory = "IVF16,SQ8"}));

// Where things are in the checkpoint of a graph; see hnsw_index_checkpoint.cc, hnsw_checkpoint.cc
// and adjacency.cc.
class GraphInspection : public Inspection {
 protected:
  static constexpr size_t kM = 8;
  static constexpr size_t kStamps = 40;
  static constexpr size_t kInGraph = kStamps + kCount * 8;
  static constexpr size_t kGraphHead = kInGraph + kCount + kDim * sizeof(float);
  static constexpr size_t kEntry = kGraphHead + 16;
  static constexpr size_t kBase = kGraphHead + 24;
  static constexpr size_t kHeads = kBase + kCount * 2 * kM * 4;

  GraphInspection() {
    MakeCheckpoint(HnswConfig{.m = kM, .quantization = Quantization::kSq8});
    const auto sound = Inspect();
    ExpectSound(sound);
    EXPECT_EQ(sound->Measure("graph_rows"), kCount);
  }
  static size_t LinkAt(Row row, size_t i) { return kBase + (row * 2 * kM + i) * 4; }
  Row LinkOf(Row row, size_t i) const { return Get<uint32_t>(LinkAt(row, i)) - 1; }
  void SetLink(Row row, size_t i, Row neighbor) { Set<uint32_t>(LinkAt(row, i), neighbor + 1); }
  int LevelsOf(Row row) const { return Get<uint16_t>(kHeads + row * 8 + 4); }
};

TEST_F(GraphInspection, NamesLinksThatLeadNowhere) {
  SetLink(5, 0, kCount + 100);
  SetLink(6, 1, kNoRow - 1);
  const IndexReport report = InspectChanged();
  EXPECT_EQ(report.CountOf(faults::kLinkOutside), 2U);
  EXPECT_EQ(report.findings()[0].first, "row 5, level 0: row 2100");
  EXPECT_TRUE(IsRefused());
}

TEST_F(GraphInspection, NamesLinksToARowThatLeft) {
  const Row gone = LinkOf(5, 0);
  Set<uint8_t>(kInGraph + gone, 0);
  const IndexReport report = InspectChanged();
  EXPECT_GT(report.CountOf(faults::kLinkOutside), 0U);
  EXPECT_TRUE(IsRefused());
}

TEST_F(GraphInspection, NamesLinksThatSayNothing) {
  SetLink(5, 0, 5);
  SetLink(7, 1, LinkOf(7, 0));
  const IndexReport report = InspectChanged();
  EXPECT_EQ(report.CountOf(faults::kLinkToItself), 1U);
  EXPECT_EQ(report.CountOf(faults::kLinkRepeated), 1U);
}

TEST_F(GraphInspection, NamesAListThatBreaksOff) {
  ASSERT_NE(LinkOf(9, 1), kNoRow);
  Set<uint32_t>(LinkAt(9, 0), 0);
  const IndexReport report = InspectChanged();
  EXPECT_GE(report.CountOf(faults::kLinkPastEnd), 1U);
  EXPECT_EQ(report.CountOf(faults::kNoLinks), 1U);
}

TEST_F(GraphInspection, NamesARowThatNoWayLeadsTo) {
  Row hidden = 100;
  while (LevelsOf(hidden) > 0) ++hidden;
  for (Row row = 0; row < kCount; ++row) {
    for (size_t i = 0; i < 2 * kM; ++i) {
      if (LinkOf(row, i) == hidden) SetLink(row, i, LinkOf(row, i == 0 ? 1 : 0));
    }
  }
  const uint64_t unreachable = InspectChanged().CountOf(faults::kUnreachable);
  EXPECT_GE(unreachable, 1U);  // With those that only it led to.
  // One that is dead need not be reached.
  Set<uint32_t>(kStamps + hidden * 8, kNoSlot);
  EXPECT_EQ(InspectChanged().CountOf(faults::kUnreachable), unreachable - 1);
}

TEST_F(GraphInspection, NamesAnEntryPointThatIsNone) {
  const auto level = Get<uint32_t>(kEntry + 4);
  ASSERT_GT(level, 0U);
  Set<uint32_t>(kEntry + 4, level - 1);
  EXPECT_EQ(InspectChanged().CountOf(faults::kEntryPoint), 1U);
  EXPECT_TRUE(IsRefused());
  Row low = 0;
  while (LevelsOf(low) > 0) ++low;
  Set<uint32_t>(kEntry, low);
  Set<uint32_t>(kEntry + 4, 0);
  EXPECT_EQ(InspectChanged().CountOf(faults::kEntryPoint), 1U);  // The graph is higher.
  Set<uint32_t>(kEntry, kCount + 7);
  EXPECT_EQ(InspectChanged().CountOf(faults::kEntryPoint), 1U);
}

TEST_F(GraphInspection, NamesRowsWithoutTheListsOfTheirLevels) {
  std::vector<Row> high;
  for (Row row = 0; high.size() < 2; ++row) {
    if (LevelsOf(row) > 0) high.push_back(row);
  }
  Set<uint16_t>(kHeads + high[0] * 8 + 4, 0);
  Set<uint32_t>(kHeads + high[1] * 8, 0x7FFFFFFF);
  EXPECT_EQ(InspectChanged().CountOf(faults::kLevelsMissing), 2U);
  EXPECT_TRUE(IsRefused());
}

TEST_F(GraphInspection, NamesASlotThatHasTwoRows) {
  Set<uint32_t>(kStamps + 3 * 8, Get<uint32_t>(kStamps + 4 * 8));
  const IndexReport report = InspectChanged();
  EXPECT_EQ(report.CountOf(faults::kSlotTwice), 1U);
}

TEST_F(GraphInspection, TellsADamagedVectorFromOneThatWasReplaced) {
  std::fstream vectors(directory_ / "vectors", std::ios::in | std::ios::out | std::ios::binary);
  vectors.seekp(static_cast<std::streamoff>(7 * 48 * sizeof(float) + 5));
  vectors.put('x');
  vectors.close();
  EXPECT_EQ(Inspect()->CountOf(faults::kVectorDamaged), 1U);
  SlotBitmap changed;
  changed.Insert(7);
  const auto report = Inspect(changed);
  ExpectSound(report);
  EXPECT_EQ(report->Measure("replaced_since"), 1U);
}

TEST_F(GraphInspection, ChangesNothingEvenOfAFileThatWasCutOff) {
  std::filesystem::resize_file(directory_ / "vectors", 100'000);
  const auto report = Inspect();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->CountOf(faults::kVectorDamaged), kCount - 1 - 100'000 / (48 * sizeof(float)));
  EXPECT_EQ(std::filesystem::file_size(directory_ / "vectors"), 100'000U);
  std::filesystem::remove(directory_ / "vectors");
  EXPECT_TRUE(absl::IsNotFound(Inspect().status()));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "vectors"));
}

// See ivf_checkpoint.cc and ivf_list.h.
TEST_F(Inspection, NamesWhatIsWrongWithLists) {
  MakeCheckpoint(IvfConfig{.nlist = 4, .encoding = IvfEncoding::kFlat});
  ExpectSound(Inspect());
  const auto lists = Get<uint64_t>(32);
  const size_t centroids = 72 + kCount * 8;
  const size_t first = centroids + lists * kDim * sizeof(float) + 8;  // A block: rows, biases.
  const auto size = Get<uint64_t>(first - 8);
  ASSERT_GT(size, 32U);
  Set<Row>(first, kCount);
  Set<Row>(first + 4, Get<Row>(first + 8));
  Set<float>(first + 128 + 12, std::numeric_limits<float>::infinity());
  Set<float>(centroids, std::numeric_limits<float>::quiet_NaN());
  if (size % 32 != 0) Set<Row>(first + size / 32 * 256 + 31 * 4, 3);
  const IndexReport report = InspectChanged();
  EXPECT_EQ(report.CountOf(faults::kRowOutside), 1U);
  EXPECT_EQ(report.CountOf(faults::kRowTwice), 1U);
  EXPECT_EQ(report.CountOf(faults::kBias), 1U);
  EXPECT_EQ(report.CountOf(faults::kCentroid), 1U);
  EXPECT_EQ(report.CountOf(faults::kPadding), size % 32 != 0 ? 1U : 0U);
  EXPECT_EQ(report.Measure("waiting"), 2U);  // What the changed rows held.
  EXPECT_TRUE(IsRefused());
}

TEST_F(Inspection, NamesWhatIsWrongWithTheRowsOfFaiss) {
  MakeCheckpoint(FaissConfig{.factory = "SQ8"});
  ExpectSound(Inspect());
  const size_t rows = 32 + kCount * 8;
  Set<Row>(rows, kCount + 5);
  Set<Row>(rows + 4, Get<Row>(rows + 8));
  const IndexReport report = InspectChanged();
  EXPECT_EQ(report.CountOf(faults::kRowOutside), 1U);
  EXPECT_EQ(report.CountOf(faults::kRowTwice), 1U);
  EXPECT_EQ(report.Measure("built"), kCount);
  EXPECT_TRUE(IsRefused());
}

}  // namespace
}  // namespace vettore
