// Which slots the records of a shard can name.
#pragma once

#include "absl/status/status.h"
#include "base/strings.h"
#include "types/limits.h"
#include "types/position.h"
#include "types/slot_bitmap.h"

namespace vettore {

// A write takes at most limits::kBatchPoints slots that were never used, so that the number of
// writes bounds the slots. Past it a key is damaged, and tables that reach up to it could be larger
// than memory: DataLoss.
inline absl::Status CheckSlot(Slot slot, Position applied) {
  if (slot / limits::kBatchPoints < applied.seq) return absl::OkStatus();
  return absl::DataLossError(
      StrCat("slot ", slot, ": more than ", applied.seq, " writes can have taken"));
}

}  // namespace vettore
