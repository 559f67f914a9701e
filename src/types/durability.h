// When a write is acknowledged.
#pragma once

namespace vettore {

enum class Durability {
  kDurable,   // After fsync of the write-ahead log.
  kBuffered,  // After the operating system has it: survives a killed process; a power cut may take
              // the last 100 ms.
};

}  // namespace vettore
