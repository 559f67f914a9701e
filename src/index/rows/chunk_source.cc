// Memory in huge pages.
#include "index/rows/chunk_source.h"

#include <sys/mman.h>

#include <cstdint>

namespace vettore {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// The pages become huge ones, in place. A system that cannot leaves them small.
void Collapse(void* chunk, size_t size_bytes) {
  madvise(chunk, size_bytes, MADV_HUGEPAGE);
#if defined(MADV_COLLAPSE)
  madvise(chunk, size_bytes, MADV_COLLAPSE);
#else
  constexpr int kCollapse = 25;  // MADV_COLLAPSE of Linux 6.1.
  madvise(chunk, size_bytes, kCollapse);
#endif
}

}  // namespace

AnonymousChunks::~AnonymousChunks() {
  for (const Mapping& mapping : mappings_) munmap(mapping.address, mapping.size_bytes);
}

void* AnonymousChunks::Map(size_t size_bytes) {
  const size_t mapped_bytes = size_bytes + kHugePage;
  void* const address =
      mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) return nullptr;
  const size_t past = reinterpret_cast<uintptr_t>(address) % kHugePage;
  char* const chunk = static_cast<char*>(address) + (past == 0 ? 0 : kHugePage - past);
  mappings_.push_back({address, mapped_bytes, chunk});
  if (mappings_.size() > 1) madvise(chunk, size_bytes, MADV_HUGEPAGE);
  if (mappings_.size() == 2) Collapse(mappings_.front().chunk, size_bytes);
  return chunk;
}

}  // namespace vettore
