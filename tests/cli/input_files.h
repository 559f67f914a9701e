// Files with given bytes for the readers' tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "cli/format/input_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"

namespace vettore {

class InputFiles : public testing::Test {
 protected:
  std::string Write(const std::string& name, std::string_view bytes) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  InputFile Open(const std::string& path) {
    absl::StatusOr<InputFile> file = InputFile::Open(path);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  InputFile FileOf(std::string_view bytes) { return Open(Write("input", bytes)); }

  TemporaryDirectory folder_;
};

// InvalidArgument with a message that holds all parts.
template <typename T>
void ExpectInvalid(const absl::StatusOr<T>& result, std::initializer_list<std::string> parts) {
  ASSERT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
  for (const std::string& part : parts) {
    EXPECT_THAT(std::string(result.status().message()), testing::HasSubstr(part));
  }
}

}  // namespace vettore
