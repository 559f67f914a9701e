#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "support/temporary_directory.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(File, WhatIsWrittenIsRead) {
  const TemporaryDirectory directory;
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "f", contents).ok());
  EXPECT_EQ(ReadFile(directory.path() / "f", 4).value(), contents);
}

TEST(File, AtomicWriteReplacesAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "f";
  ASSERT_TRUE(WriteFileAtomically(path, std::string(100'000, 'x')).ok());
  ASSERT_TRUE(WriteFileAtomically(path, "new").ok());
  EXPECT_EQ(ReadFile(path, 100).value(), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(File, FailedAtomicWriteLeavesTheOldFile) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "f";
  ASSERT_TRUE(WriteFileAtomically(path, "old").ok());
  // The temporary name is taken by a directory: the write cannot begin, as any user, root too.
  std::filesystem::create_directory(path.string() + ".tmp");
  EXPECT_FALSE(WriteFileAtomically(path, "new").ok());
  EXPECT_EQ(ReadFile(path, 100).value(), "old");
}

TEST(File, FailedRenameRemovesTheTemporaryFile) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "f";
  std::filesystem::create_directory(path);  // A file cannot be renamed onto a directory.
  EXPECT_FALSE(WriteFileAtomically(path, "new").ok());
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".tmp"));
}

TEST(File, ReadStopsAtTheLimit) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "f";
  ASSERT_TRUE(WriteFileAtomically(path, "12345").ok());
  EXPECT_TRUE(ReadFile(path, 5).ok());
  const absl::Status status = ReadFile(path, 4).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(status), HasSubstr("limit of 4 bytes"));
}

TEST(File, MissingFileIsNotFoundAndNamed) {
  const TemporaryDirectory directory;
  const absl::Status status = ReadFile(directory.path() / "absent", 10).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(status), HasSubstr("absent: No such file or directory"));
  EXPECT_EQ(MappedFile::Open(directory.path() / "absent").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(File, ErrnoBecomesTheCodeThatSaysWhoseTurnItIs) {
  EXPECT_EQ(ErrnoStatus(ENOSPC, "write", "p").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EROFS, "write", "p").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus(ENOTDIR, "open", "p").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus(EIO, "read", "p").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Message(ErrnoStatus(EIO, "read", "p")), "cannot read p: Input/output error");
}

TEST(MappedFile, ShowsTheBytesAndSurvivesAMove) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "a", "first").ok());
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "b", "second").ok());
  MappedFile a = MappedFile::Open(directory.path() / "a").value();
  MappedFile b = MappedFile::Open(directory.path() / "b").value();
  EXPECT_EQ(a.text(), "first");
  a = std::move(b);
  EXPECT_EQ(a.text(), "second");
  const MappedFile c(std::move(a));
  EXPECT_EQ(c.text(), "second");
  EXPECT_EQ(c.bytes().size(), 6u);
}

TEST(MappedFile, EmptyFileHasNoBytesAndADirectoryIsRefused) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "empty", "").ok());
  EXPECT_TRUE(MappedFile::Open(directory.path() / "empty").value().bytes().empty());
  EXPECT_EQ(MappedFile::Open(directory.path()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vettore
