// Memory whose last byte is the last before a page that must not be touched.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace vettore::simd {

// Externally synchronised.
class GuardedMemory {
 public:
  explicit GuardedMemory(size_t size_bytes)
      : page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
        usable_((size_bytes + page_ - 1) / page_ * page_) {
    void* memory =
        mmap(nullptr, usable_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    base_ = static_cast<char*>(memory);
    EXPECT_EQ(mprotect(base_ + usable_, page_, PROT_NONE), 0);
  }
  ~GuardedMemory() { munmap(base_, usable_ + page_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  // Room for `count` elements up to the forbidden page.
  template <typename T>
  T* Last(size_t count) {
    return reinterpret_cast<T*>(base_ + usable_) - count;
  }

  // A copy of the elements up to the forbidden page; good until the next call.
  template <typename T>
  const T* Put(const std::vector<T>& elements) {
    T* place = Last<T>(elements.size());
    if (!elements.empty()) std::memcpy(place, elements.data(), elements.size() * sizeof(T));
    return place;
  }

 private:
  size_t page_;
  size_t usable_;
  char* base_ = nullptr;
};

}  // namespace vettore::simd
