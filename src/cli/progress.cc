#include "cli/progress.h"

#include <algorithm>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/strings.h"
#include "cli/terminal.h"

namespace vettore {
namespace {

constexpr absl::Duration kBarInterval = absl::Milliseconds(100);
constexpr absl::Duration kLineInterval = absl::Seconds(5);
constexpr size_t kWidestBar = 30;
constexpr size_t kNarrowestBar = 8;

std::string Bar(double share, size_t width) {
  const auto full = static_cast<size_t>(share * static_cast<double>(width));
  return StrCat("[", std::string(full, '#'), std::string(width - full, '-'), "]");
}

// What follows the bar, the most important first.
std::vector<std::string> Parts(const ProgressState& state, std::optional<double> share) {
  std::vector<std::string> parts;
  const double seconds = absl::ToDoubleSeconds(state.elapsed);
  if (share) parts.push_back(absl::StrFormat("%3.0f%%", *share * 100));
  parts.push_back(StrCat(FormatCount(state.items), " ", state.noun));
  if (seconds > 0) {
    const double rate = static_cast<double>(state.items) / seconds;
    parts.push_back(rate < 10 ? absl::StrFormat("%.1f/s", rate)
                              : FormatCount(static_cast<uint64_t>(rate)) + "/s");
  }
  if (share && *share > 0 && *share < 1) {
    parts.push_back("ETA " + FormatSpan(state.elapsed * ((1 - *share) / *share)));
  }
  if (state.tokens > 0) parts.push_back(FormatCount(state.tokens) + " tokens");
  return parts;
}

}  // namespace

std::string FormatProgress(const ProgressState& state, size_t width) {
  std::optional<double> share;
  if (state.total && *state.total > 0) {
    share = std::min(1.0, static_cast<double>(state.done) / static_cast<double>(*state.total));
  }
  std::string text;
  for (const std::string& part : Parts(state, share)) {
    if (width > 0 && !text.empty() && text.size() + 2 + part.size() > width) break;
    StrAppend(&text, text.empty() ? "" : "  ", part);
  }
  if (width == 0 || !share) return text;
  constexpr size_t kAroundBar = 4;  // Brackets and two spaces.
  if (text.size() + kAroundBar + kNarrowestBar > width) return text;
  const size_t bar_width = std::min(kWidestBar, width - text.size() - kAroundBar);
  return StrCat(Bar(*share, bar_width), "  ", text);
}

ProgressStyle ChooseProgressStyle(bool silent) {
  if (silent) return ProgressStyle::kSilent;
  return StandardErrorIsTerminal() ? ProgressStyle::kBar : ProgressStyle::kLines;
}

ProgressMeter::ProgressMeter(ProgressStyle style, std::string noun, std::optional<uint64_t> total)
    : style_(style),
      start_(absl::Now()),
      next_draw_(start_ + (style == ProgressStyle::kLines ? kLineInterval : kBarInterval)) {
  state_.noun = std::move(noun);
  state_.total = total;
}

void ProgressMeter::Add(uint64_t items, uint64_t tokens) {
  state_.items += items;
  state_.tokens += tokens;
}

void ProgressMeter::Draw() {
  const absl::Time now = absl::Now();
  if (style_ == ProgressStyle::kSilent || now < next_draw_) return;
  state_.elapsed = now - start_;
  if (style_ == ProgressStyle::kLines) {
    next_draw_ = now + kLineInterval;
    std::cerr << FormatProgress(state_, 0) << std::endl;
    return;
  }
  next_draw_ = now + kBarInterval;
  // One column is left free: some terminals wrap when the last one is written.
  std::cerr << "\r\x1B[K" << FormatProgress(state_, TerminalWidth() - 1) << std::flush;
  drawn_ = true;
}

void ProgressMeter::Clear() {
  if (std::exchange(drawn_, false)) std::cerr << "\r\x1B[K" << std::flush;
}

void ProgressMeter::Finish() {
  Clear();
  state_.elapsed = absl::Now() - start_;
}

}  // namespace vettore
