#include "engine/scarce_memory.h"

#include <cstdlib>
#include <limits>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VETTORE_OWN_NEW 0
#else
#define VETTORE_OWN_NEW 1
#endif

namespace {

constexpr size_t kPlenty = std::numeric_limits<size_t>::max();
thread_local size_t allocations_left = kPlenty;
thread_local bool has_failed = false;

}  // namespace

#if VETTORE_OWN_NEW
void* operator new(size_t size) {
  if (allocations_left == 0) {
    has_failed = true;
    throw std::bad_alloc();
  }
  if (allocations_left != kPlenty) --allocations_left;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace vettore {

bool CanMakeMemoryScarce() { return VETTORE_OWN_NEW; }

ScarceMemory::ScarceMemory(size_t allocations) {
  allocations_left = allocations;
  has_failed = false;
}

ScarceMemory::~ScarceMemory() { allocations_left = kPlenty; }

bool ScarceMemory::ran_out() const { return has_failed; }

}  // namespace vettore
