// Memory that runs out when a test says so.
#pragma once

#include <cstddef>

namespace vettore {

// False under the sanitizers, which bring their own operator new.
bool CanMakeMemoryScarce();

// While one lives, only so many allocations of this thread succeed. Externally synchronised.
class ScarceMemory {
 public:
  explicit ScarceMemory(size_t allocations);
  ~ScarceMemory();
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;

  // An allocation has failed.
  bool ran_out() const;
};

}  // namespace vettore
