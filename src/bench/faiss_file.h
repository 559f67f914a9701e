// Index files of the FAISS library: the vectors and ids in them, and such files of our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "types/metric.h"

namespace vettore::bench {

// Gives back what an index holds, vector after vector: as it was added where the index keeps
// vectors in full, else as its codes have it. The whole file is in memory. Externally synchronised.
class FaissFileReader {
 public:
  // InvalidArgument: it is no index of floats that this version of FAISS reads, or of a kind from
  // which no vector can be had; NotFound; ResourceExhausted. The library believes a file's numbers:
  // one that somebody made to do harm can end the process.
  static absl::StatusOr<std::unique_ptr<FaissFileReader>> Open(const std::filesystem::path& path);
  virtual ~FaissFileReader() = default;

  virtual size_t dim() const = 0;
  virtual size_t count() const = 0;
  // The next vector, dim() floats, in the order in which the index has them; false at the end.
  // InvalidArgument.
  virtual absl::StatusOr<bool> Next(std::vector<float>& vector) = 0;
  // Of the vector that came last: of the index's id map, else of the order of adding.
  virtual uint64_t id() const = 0;
};

// Collects points and writes an IndexIDMap2 of them. Externally synchronised.
class FaissFileWriter {
 public:
  // factory: as ParseFaissFactory() admits it. Cosine becomes FAISS's inner product, of vectors of
  // unit length. InvalidArgument.
  static absl::StatusOr<std::unique_ptr<FaissFileWriter>> Make(std::string_view factory,
                                                               uint32_t dimension, Metric metric);
  virtual ~FaissFileWriter() = default;

  // vector: (dimension). InvalidArgument: FAISS's ids end at 2^63 - 1.
  virtual absl::Status Add(uint64_t id, std::span<const float> vector) = 0;
  // Trains, fills, and hands the file's bytes to `write`, front to back, whose status is returned
  // when it fails. InvalidArgument: too few points to train on. Once.
  virtual absl::Status Finish(absl::FunctionRef<absl::Status(std::string_view)> write) = 0;
};

}  // namespace vettore::bench
