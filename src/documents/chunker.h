// Cuts a text into passages that fit a model's window, on sentence borders, with the model's own
// tokeniser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cancel.h"
#include "embed/tokenizer.h"

namespace vettore {

struct ChunkOptions {
  uint32_t max_tokens = 0;  // Of a chunk's own text, special tokens not included. >= 1
  uint32_t overlap_tokens =
      0;  // At most so many are repeated from the chunk before, in whole sentences.
  size_t max_chunks = SIZE_MAX;
};

// The bytes [begin, end) of the text. White space belongs to the chunk of the text before it.
struct TextChunk {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// No chunk is longer, whatever its tokens: a payload holds it. Only runs of white space and words
// of thousands of letters, which count as few tokens or none, come near.
inline constexpr size_t kChunkBytes = 64 << 10;

// The chunks of `text`, valid UTF-8, in order. They cover it without a gap: the first begins at 0,
// each begins at or before the end of the one before and after its beginning, the last ends at
// text.size(); so every text that fits is one chunk, and the empty text none. Each holds as many
// sentences as fit; a sentence that is longer than the window is cut between words where it has
// any, else between tokens, never inside a code point, and is not repeated. Deterministic. Takes
// linear time, and memory for the chunks and one window. InvalidArgument past `max_chunks`;
// whatever `cancel` says.
absl::StatusOr<std::vector<TextChunk>> ChunkText(const Tokenizer& tokenizer, std::string_view text,
                                                 const ChunkOptions& options,
                                                 const CancelToken& cancel);

}  // namespace vettore
