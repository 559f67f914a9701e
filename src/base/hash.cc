#include "base/hash.h"

#include <xxhash.h>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vettore {

uint64_t Hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string Fingerprint(std::span<const std::string_view> parts) {
  XXH3_state_t* state = XXH3_createState();
  VETTORE_CHECK(state != nullptr);
  XXH3_128bits_reset(state);
  for (std::string_view part : parts) {
    const uint64_t size = part.size();
    XXH3_128bits_update(state, &size, sizeof size);
    XXH3_128bits_update(state, part.data(), part.size());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return absl::StrFormat("%016x%016x", hash.high64, hash.low64);
}

}  // namespace vettore
