#include "bench/machine.h"

#include <fstream>
#include <string_view>
#include <thread>

#include "commit.inc"
#include "index/vector_index.h"

namespace vettore::bench {

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

Json MachineFields() {
  return {{"cpu", CpuName()},
          {"isa", std::string(ActiveInstructionSet())},
          {"cores", std::thread::hardware_concurrency()},
          {"commit", VETTORE_COMMIT},
          {"preset", VETTORE_PRESET}};
}

}  // namespace vettore::bench
