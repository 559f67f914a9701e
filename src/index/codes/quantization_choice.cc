#include "index/codes/quantization_choice.h"

#include <array>

#include "index/codes/vector_codec.h"

namespace vettore {
namespace {

// Below it 8-bit codes are short enough, and need less measuring again.
constexpr size_t kFewDimensions = 256;
// From fine to coarse.
constexpr std::array kLadder = {Quantization::kSq8, Quantization::kSq4, Quantization::kRaBitQ};

}  // namespace

Quantization ResolveQuantization(Quantization wanted, const CodeRoom& room) {
  if (wanted != Quantization::kAuto) return wanted;
  Quantization picked = room.dim < kFewDimensions ? Quantization::kSq8 : Quantization::kSq4;
  for (const Quantization coarser : kLadder) {
    const size_t row_bytes = VectorCodec::RowBytes(picked, room.dim);
    if (room.count <= room.bytes / row_bytes) break;
    // Of few dimensions a coarser code may be no shorter: lines of the cache are not divided.
    if (VectorCodec::RowBytes(coarser, room.dim) < row_bytes) picked = coarser;
  }
  return picked;
}

}  // namespace vettore
