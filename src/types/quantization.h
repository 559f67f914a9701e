// How an index codes its vectors for search.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

namespace vettore {

// What a search measures first; the nearest are measured again with the vectors themselves.
enum class Quantization {
  kAuto,    // The index picks by dimension and memory; see index/codes/quantization_choice.h.
  kNone,    // The vectors themselves, 32 bits a value.
  kSq8,     // 8 bits a value.
  kSq4,     // 4 bits a value, of the rotated vector.
  kRaBitQ,  // 1 bit a value, of the rotated vector (Gao & Long, 2024).
};
std::string_view NameOf(Quantization quantization);  // "auto", "none", "sq8", "sq4", "rabitq"
absl::StatusOr<Quantization> ParseQuantization(std::string_view name);

}  // namespace vettore
