#include "base/machine_memory.h"

#include <gtest/gtest.h>

namespace vettore {
namespace {

TEST(MachineMemory, IsMoreThanThisProgramNeedsAndLessThanAnyMachineHas) {
  EXPECT_GT(MachineMemoryBytes(), uint64_t{64} << 20);
  EXPECT_LT(MachineMemoryBytes(), uint64_t{1} << 50);
}

}  // namespace
}  // namespace vettore
