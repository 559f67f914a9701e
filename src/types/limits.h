// The limits that hold by default at every door. Each is named in the error that enforces it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vettore::limits {

inline constexpr size_t kMessageBytes = 32 << 20;
inline constexpr uint64_t kSearchLimit = 10'000;  // k + offset
inline constexpr size_t kBatchSearches = 1'000;
inline constexpr uint64_t kBatchResults = 100'000;  // k + offset of all searches of a batch
inline constexpr uint32_t kEfSearch = 4'096;
inline constexpr uint32_t kEfConstruction = 4'096;
inline constexpr uint32_t kNlist = 65'536;
inline constexpr uint32_t kNprobe = 65'536;
inline constexpr size_t kFaissBytes = 256;  // a factory string, or its parameters
inline constexpr uint32_t kFaissRerank = 1'000;
inline constexpr uint32_t kOpqDimension = 2'048;  // Of a learned rotation; its cost is cubic.
inline constexpr uint32_t kDimension = 65'536;
inline constexpr uint32_t kMinM = 4;
inline constexpr uint32_t kMaxM = 128;
inline constexpr int kFilterDepth = 16;
inline constexpr int kFilterConditions = 256;
inline constexpr size_t kPayloadBytes = 1 << 20;  // as JSON text
inline constexpr int kPayloadDepth = 32;
inline constexpr size_t kIdBytes = 256;
inline constexpr size_t kBatchPoints = 10'000;  // Never less: what is stored is checked against it.
inline constexpr size_t kDeletePoints = 100'000;  // by filter and ids together, in one write
inline constexpr size_t kNameBytes = 64;
inline constexpr size_t kFieldBytes = 256;  // a dotted path into a payload
inline constexpr uint32_t kMinChunkTokens = 16;
inline constexpr uint32_t kMaxChunkTokens = 65'536;
inline constexpr size_t kVectorsPerCollection = 16;
inline constexpr size_t kPayloadIndexes = 64;
inline constexpr size_t kCollections = 10'000;
inline constexpr size_t kTextBytes = 8 << 20;  // one text to embed or one document

}  // namespace vettore::limits
