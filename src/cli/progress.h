// How far a long command came: a bar on a terminal, a line every few seconds elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace vettore {

struct ProgressState {
  std::string noun = "documents";  // What `items` counts.
  uint64_t items = 0;
  uint64_t tokens = 0;
  // The share done is bytes of the input, or items where bytes are unknown; without a total it is
  // not shown.
  uint64_t done = 0;
  std::optional<uint64_t> total;
  absl::Duration elapsed;
};

// One line: `[#####-----]  42%  12,300 documents  310/s  1,200,345 tokens  ETA 4 min 10 s`, of at
// most `width` characters: the bar shrinks, then parts drop out at the end. With width 0 there is
// no bar and no limit.
std::string FormatProgress(const ProgressState& state, size_t width);

enum class ProgressStyle { kSilent, kBar, kLines };

// Writes to standard error. Externally synchronised.
class ProgressMeter {
 public:
  ProgressMeter(ProgressStyle style, std::string noun, std::optional<uint64_t> total);
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;
  ~ProgressMeter() { Finish(); }

  void Add(uint64_t items, uint64_t tokens);
  void SetDone(uint64_t done) { state_.done = done; }
  // Draws when it is time to; cheap otherwise.
  void Draw();
  // Clears the bar, so that something else can be printed.
  void Clear();
  void Finish();

  const ProgressState& state() const { return state_; }
  absl::Duration elapsed() const { return absl::Now() - start_; }

 private:
  const ProgressStyle style_;
  const absl::Time start_;
  ProgressState state_;
  absl::Time next_draw_;
  bool drawn_ = false;
};

// A bar on a terminal, lines elsewhere, silence when asked for.
ProgressStyle ChooseProgressStyle(bool silent);

}  // namespace vettore
