// Guards against a full disk: RocksDB must never meet one, for what it does then is not under our
// control.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"

namespace vettore {

// Proves that the directory can be written and that `needed_bytes` are free, by writing and syncing
// a file of some megabytes and removing it (a quota or a lazily allocating file system shows itself
// only so). ResourceExhausted, PermissionDenied. A file left over by a process that was killed in
// here is overwritten.
absl::Status ProbeFreeSpace(const std::filesystem::path& directory, uint64_t needed_bytes);

// The file that ProbeFreeSpace writes.
inline constexpr std::string_view kProbeFileName = "probe.tmp";

// Who asks for space.
enum class SpaceNeed {
  kData,     // Refused below the reserve.
  kControl,  // Small records, among them those that free space: refused below a quarter of it.
};

// Says before each write whether the disk has room. Asks the system at most every 100 ms or every
// quarter of the reserve written, and counts what was written since. Externally synchronised.
class FreeSpaceGuard {
 public:
  FreeSpaceGuard(std::filesystem::path directory, uint64_t reserve_bytes)
      : directory_(std::move(directory)), reserve_bytes_(reserve_bytes) {}

  // OK, or ResourceExhausted until space comes back.
  absl::Status Admit(uint64_t bytes, SpaceNeed need);

 private:
  const std::filesystem::path directory_;
  const uint64_t reserve_bytes_;
  uint64_t free_bytes_ = 0;
  uint64_t admitted_bytes_ = 0;  // Since the system was asked.
  std::chrono::steady_clock::time_point asked_at_ = std::chrono::steady_clock::time_point::min();
};

}  // namespace vettore
