// What a result line says about the machine.
#pragma once

#include <fstream>
#include <string>

namespace vettore::bench {

// The processor's own name, as the kernel reports it.
inline std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

}  // namespace vettore::bench
