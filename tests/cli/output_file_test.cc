// What a path of -o may be.
#include "cli/output_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public testing::Test {
 protected:
  std::string At(const std::string& name) const { return (folder_.path() / name).string(); }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static void Write(const std::string& path) {
    absl::StatusOr<OutputFile> file = OutputFile::Create(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write("new").ok());
    const absl::Status closed = file->Close();
    EXPECT_TRUE(closed.ok()) << closed;
  }
  size_t Entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }

  TemporaryDirectory folder_;
};

TEST_F(OutputFileTest, FileAppearsWholeOrNotAtAll) {
  std::ofstream(At("file")) << "old";
  {
    absl::StatusOr<OutputFile> file = OutputFile::Create(At("file"));
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write("half").ok());
  }
  EXPECT_EQ(Read(At("file")), "old");
  Write(At("file"));
  EXPECT_EQ(Read(At("file")), "new");
  EXPECT_EQ(Entries(), 1U);
}

// A regular file was renamed over whatever the path was: as root, over /dev/null.
TEST_F(OutputFileTest, PipeIsWrittenToAndStaysOne) {
  ASSERT_EQ(::mkfifo(At("pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = Read(At("pipe")); });
  Write(At("pipe"));
  reader.join();
  EXPECT_EQ(read, "new");
  EXPECT_TRUE(fs::is_fifo(At("pipe")));
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(OutputFileTest, DeviceIsWrittenTo) {
  fs::create_symlink("/dev/null", At("null"));
  Write(At("null"));
  EXPECT_TRUE(fs::is_symlink(At("null")));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(OutputFileTest, SymbolicLinkStaysAndItsTargetIsWritten) {
  fs::create_directory(At("folder"));
  std::ofstream(At("folder/file")) << "old";
  fs::create_symlink("file", At("folder/link"));
  fs::create_symlink("folder/link", At("link"));
  Write(At("link"));
  EXPECT_TRUE(fs::is_symlink(At("link")));
  EXPECT_TRUE(fs::is_symlink(At("folder/link")));
  EXPECT_EQ(Read(At("folder/file")), "new");
  fs::create_symlink("folder/not yet there", At("early"));
  Write(At("early"));
  EXPECT_EQ(Read(At("folder/not yet there")), "new");
}

TEST_F(OutputFileTest, CircleOfLinksAndFolderAreRefused) {
  fs::create_symlink("circle", At("circle"));
  EXPECT_FALSE(OutputFile::Create(At("circle")).ok());
  EXPECT_FALSE(OutputFile::Create(folder_.path().string()).ok());
  EXPECT_FALSE(OutputFile::Create(At("absent/file")).ok());
}

}  // namespace
}  // namespace vettore
