// How an index codes its vectors for search.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

namespace vettore {

// What a search measures first; the nearest are measured again with the vectors themselves.
enum class Quantization {
  kAuto,  // The index picks by dimension; see index/vector_codec.h.
  kNone,  // The vectors themselves, 32 bits a value.
  kSq8,   // 8 bits a value.
  kSq4,   // 4 bits a value, of the rotated vector.
};
std::string_view NameOf(Quantization quantization);  // "auto", "none", "sq8", "sq4"
absl::StatusOr<Quantization> ParseQuantization(std::string_view name);

}  // namespace vettore
