// Files and small data sets for the tests of this room.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/matrix.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"

namespace vettore::bench {

class BenchFiles : public testing::Test {
 protected:
  std::filesystem::path Write(const std::string& name, std::string_view bytes) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  TemporaryDirectory folder_;
};

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// A .npy file (version 1) of the given type, shape and values.
template <typename T>
std::string Npy(std::string_view type, const std::string& shape, const std::vector<T>& values) {
  std::string header =
      "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00", 8) + std::string("\x76\x00", 2) + header +
         BytesOf(values);
}

// A .fvecs, .bvecs or .ivecs file.
template <typename T>
std::string Vecs(const std::vector<std::vector<T>>& rows) {
  std::string bytes;
  for (const std::vector<T>& row : rows) {
    bytes += BytesOf(std::vector<int32_t>{static_cast<int32_t>(row.size())}) + BytesOf(row);
  }
  return bytes;
}

// InvalidArgument, with a message that holds all parts.
template <typename T>
void ExpectInvalid(const absl::StatusOr<T>& result, std::initializer_list<std::string> parts) {
  ASSERT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
  for (const std::string& part : parts) {
    EXPECT_THAT(std::string(result.status().message()), testing::HasSubstr(part));
  }
}

}  // namespace vettore::bench
