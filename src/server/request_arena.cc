#include "server/request_arena.h"

#include <new>

#include "absl/cleanup/cleanup.h"
#include "base/strings.h"

namespace vettore {
namespace {

// Vectors take twice their size on the wire, payloads of many small values about ten times.
constexpr size_t kTimesWireBytes = 16;
constexpr size_t kAtLeastBytes = 1 << 20;

// Of the request that this thread parses; null while it parses none. An arena's allocation function
// is told nothing but the size.
thread_local size_t* bytes_left = nullptr;

void* AllocateBlock(size_t size_bytes) {
  if (bytes_left != nullptr) {
    if (size_bytes > *bytes_left) throw std::bad_alloc();
    *bytes_left -= size_bytes;
  }
  return ::operator new(size_bytes);
}

void FreeBlock(void* block, size_t /*size_bytes*/) { ::operator delete(block); }

google::protobuf::ArenaOptions Options() {
  google::protobuf::ArenaOptions options;
  options.block_alloc = AllocateBlock;
  options.block_dealloc = FreeBlock;
  return options;
}

}  // namespace

RequestArena::RequestArena() : arena_(Options()) {}

absl::Status RequestArena::WithinLimit(size_t wire_bytes, absl::FunctionRef<absl::Status()> parse) {
  const size_t limit = kAtLeastBytes + kTimesWireBytes * wire_bytes;
  size_t left = limit;
  bytes_left = &left;
  const absl::Cleanup unlimited = [] { bytes_left = nullptr; };
  try {
    return parse();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(StrCat("a request of ", wire_bytes,
                                               " bytes unfolds to more than ", limit,
                                               " bytes of messages; send fewer entries at a time"));
  }
}

}  // namespace vettore
