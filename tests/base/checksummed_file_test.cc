// Files that are read back only as they were written.
#include "base/checksummed_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <vector>

#include "support/temporary_directory.h"

namespace vettore {
namespace {

constexpr std::string_view kTitle = "a title, sixteen";

std::vector<uint32_t> Numbers(size_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 7U);
  return numbers;
}

uint64_t WriteNumbers(const std::filesystem::path& path, std::span<const uint32_t> numbers) {
  auto out = ChecksummedWriter::Create(path, kTitle);
  EXPECT_TRUE(out.ok()) << out.status();
  EXPECT_TRUE(out->WriteAll(numbers).ok());
  const auto hash = out->Finish();
  EXPECT_TRUE(hash.ok()) << hash.status();
  return *hash;
}

TEST(ChecksummedFile, WhatWasWrittenIsReadInAnyPieces) {
  const TemporaryDirectory directory;
  for (const size_t count : {size_t{0}, size_t{1}, size_t{262'144}, size_t{700'001}}) {
    const std::vector<uint32_t> numbers = Numbers(count);
    const uint64_t hash = WriteNumbers(directory / "file", numbers);
    auto in = ChecksummedReader::Open(directory / "file", kTitle);
    ASSERT_TRUE(in.ok()) << in.status();
    EXPECT_EQ(in->hash(), hash);
    EXPECT_GE(in->remaining(), count * sizeof(uint32_t));
    std::vector<uint32_t> read(count);
    const size_t half = count / 3;
    ASSERT_TRUE(in->ReadAll(std::span(read).first(half)).ok());
    ASSERT_TRUE(in->ReadAll(std::span(read).subspan(half)).ok());
    EXPECT_EQ(read, numbers);
    EXPECT_TRUE(in->ExpectEnd().ok());
    EXPECT_TRUE(absl::IsDataLoss(in->ReadOne<char>().status()));
  }
}

TEST(ChecksummedFile, WhatIsLeftOverIsAnError) {
  const TemporaryDirectory directory;
  WriteNumbers(directory / "file", Numbers(10));
  auto in = ChecksummedReader::Open(directory / "file", kTitle);
  ASSERT_TRUE(in.ok());
  ASSERT_TRUE(in->ReadOne<uint32_t>().ok());
  EXPECT_TRUE(absl::IsDataLoss(in->ExpectEnd()));
}

TEST(ChecksummedFile, AnUnfinishedFileDoesNotReplaceTheOldOne) {
  const TemporaryDirectory directory;
  const uint64_t hash = WriteNumbers(directory / "file", Numbers(10));
  {
    auto out = ChecksummedWriter::Create(directory / "file", kTitle);
    ASSERT_TRUE(out.ok());
    ASSERT_TRUE(out->WriteAll(std::span<const uint32_t>(Numbers(20))).ok());
  }
  EXPECT_EQ(ChecksummedReader::Open(directory / "file", kTitle)->hash(), hash);
  EXPECT_FALSE(std::filesystem::exists(directory / "file.tmp"));
}

TEST(ChecksummedFile, AnotherTitleIsRefused) {
  const TemporaryDirectory directory;
  WriteNumbers(directory / "file", Numbers(10));
  const auto in = ChecksummedReader::Open(directory / "file", "another, sixteen");
  EXPECT_TRUE(absl::IsDataLoss(in.status())) << in.status();
  EXPECT_TRUE(absl::IsNotFound(ChecksummedReader::Open(directory / "no", kTitle).status()));
}

// Blocks of two files with equal sizes cannot be exchanged, though each is sound.
TEST(ChecksummedFile, SoundBlocksOfAnotherFileAreRefused) {
  const TemporaryDirectory directory;
  WriteNumbers(directory / "a", Numbers(100));
  std::vector<uint32_t> others = Numbers(100);
  others[50] = 1;
  WriteNumbers(directory / "b", others);
  std::string a, b;
  for (auto& [name, bytes] : {std::pair<std::string, std::string&>{"a", a}, {"b", b}}) {
    std::ifstream file(directory / name, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  ASSERT_EQ(a.size(), b.size());
  const std::string mixed = a.substr(0, a.size() - 16) + b.substr(b.size() - 16);
  std::ofstream(directory / "mixed", std::ios::binary) << mixed;
  auto in = ChecksummedReader::Open(directory / "mixed", kTitle);
  ASSERT_TRUE(in.ok());
  std::vector<uint32_t> read(100);
  ASSERT_TRUE(in->ReadAll(std::span(read)).ok());
  EXPECT_TRUE(absl::IsDataLoss(in->ExpectEnd()));
}

}  // namespace
}  // namespace vettore
