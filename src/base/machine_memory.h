// How much memory there is.
#pragma once

#include <cstdint>

namespace vettore {

// Of the machine, or of this process's control group where that has a lower limit (version 2 of
// Linux's control groups). 0 when neither is known.
uint64_t MachineMemoryBytes();

}  // namespace vettore
