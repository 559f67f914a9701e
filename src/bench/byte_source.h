// The bytes of a file from front to back, decompressed where its name ends with .zst.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vettore::bench {

// Externally synchronised.
class ByteSource {
 public:
  // NotFound, PermissionDenied.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::filesystem::path& path);
  virtual ~ByteSource() = default;

  // Fills `out`. InvalidArgument, with the byte of the place, when the file ends before or its
  // compressed form is damaged.
  absl::Status Read(std::span<char> out);
  // Whether no byte is left. InvalidArgument as Read.
  absl::StatusOr<bool> AtEnd();

  // The most bytes that may still come: a bound for what a header claims.
  virtual uint64_t most_left() const = 0;
  // InvalidArgument with the file's name in front.
  absl::Status Malformed(std::string_view what) const;

 protected:
  explicit ByteSource(std::filesystem::path path) : path_(std::move(path)) {}
  // Up to out.size() bytes, at least one unless the end is reached.
  virtual absl::StatusOr<size_t> ReadSome(std::span<char> out) = 0;

 private:
  const std::filesystem::path path_;
  uint64_t offset_ = 0;
  bool has_next_ = false;  // `next_` was read to learn whether there is more.
  char next_ = 0;
};

// The name's extension in lower case, with .zst left out: "base.f16.npy.zst" gives ".npy".
std::string DataExtension(const std::filesystem::path& path);

}  // namespace vettore::bench
