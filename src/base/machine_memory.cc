#include "base/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace vettore {

uint64_t MachineMemoryBytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  const uint64_t machine = pages > 0 && page_bytes > 0
                               ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes)
                               : 0;
  // A container sees its own group as the root. "max" is no number, and no limit.
  uint64_t limit = 0;
  if (!(std::ifstream("/sys/fs/cgroup/memory.max") >> limit) || limit == 0) return machine;
  return machine == 0 ? limit : std::min(machine, limit);
}

}  // namespace vettore
