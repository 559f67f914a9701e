// The two hashes of the project: XXH3-64 for checksums and slots, XXH3-128 for fingerprints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vettore {

// XXH3-64 with seed 0 (the published XXH3 of xxHash 0.8): stable across versions and machines.
uint64_t Hash64(std::string_view bytes);

// XXH3-128 of the parts, each preceded by its length, as 32 hexadecimal digits. Not cryptographic:
// it tells different files apart, it does not defend against a forger.
std::string Fingerprint(std::span<const std::string_view> parts);

}  // namespace vettore
