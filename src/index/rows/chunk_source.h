// Where a chunked array gets its memory.
#pragma once

#include <cstddef>
#include <vector>

namespace vettore {

// Externally synchronised.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  // The memory of the next chunk, of the same size each time: a multiple of 4,096 bytes, all zero
  // (or what a file held), on a 64-byte boundary, alive as long as the source. Null when the system
  // gives none; errno says why.
  virtual void* Map(size_t size_bytes) = 0;
};

// Memory of the process. The first chunk keeps small pages until there is a second: a collection of
// ten points should not take two megabytes an array. The others have huge ones, where the system
// has them.
class AnonymousChunks final : public ChunkSource {
 public:
  ~AnonymousChunks() override;
  void* Map(size_t size_bytes) override;

 private:
  struct Mapping {
    void* address;
    size_t size_bytes;
    void* chunk;
  };
  std::vector<Mapping> mappings_;
};

}  // namespace vettore
