// What a result line says about where it was measured.
#pragma once

#include <string>

#include "types/json.h"

namespace vettore::bench {

// The processor's own name, as the kernel reports it.
std::string CpuName();

// {"cpu", "isa", "cores", "commit", "preset"}: the commit that this program was built from, with
// "-dirty" behind it where files differed from it, and "unknown" outside of a clone.
Json MachineFields();

}  // namespace vettore::bench
