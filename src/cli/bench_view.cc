#include "cli/bench_view.h"

#include <cmath>
#include <cstdio>
#include <iostream>
#include <utility>

#include "base/strings.h"
#include "cli/terminal.h"

namespace vettore {
namespace {

constexpr absl::Duration kDrawInterval = absl::Milliseconds(200);

std::string Fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string Rounded(const Json& value) {
  return FormatCount(static_cast<uint64_t>(std::llround(value.get<double>())));
}

std::string Microseconds(const Json& value) {
  const double us = value.get<double>();
  return us < 100 ? Fixed(us, 1) : Rounded(value);
}

// "ef 64"; what is the same for the whole sweep is left out.
std::string Setting(const Json& line) {
  const Json& parameters = line["parameters"];
  if (parameters.contains("ef_search")) return StrCat("ef ", parameters["ef_search"].dump());
  if (parameters.contains("nprobe")) return StrCat("nprobe ", parameters["nprobe"].dump());
  return "-";
}

std::string Title(const Json& line) {
  return StrCat(line["data"].get<std::string>(), ": ", FormatCount(line["vectors"].get<uint64_t>()),
                " x ", line["dim"].dump(), " ", line["metric"].get<std::string>(), ", ",
                line["queries"].get<std::string>(), ", k ", line["k"].dump());
}

std::vector<std::string> Row(const Json& line) {
  std::vector<std::string> row = {line["system"].get<std::string>(),
                                  Setting(line),
                                  line["threads"].dump(),
                                  Fixed(line["recall"].get<double>(), 4),
                                  Rounded(line["qps"]),
                                  StrCat(Rounded(line["qps_min"]), " - ", Rounded(line["qps_max"])),
                                  Microseconds(line["p50_us"]),
                                  Microseconds(line["p99_us"])};
  const bool has_build = line.contains("build_s");
  row.push_back(has_build ? StrCat(Fixed(line["build_s"].get<double>(), 1), " s") : "-");
  row.push_back(has_build ? Rounded(line["ram_bytes_per_vector"]) : "-");
  return row;
}

}  // namespace

std::string BenchTable(const std::vector<Json>& lines) {
  using enum Align;
  std::string out;
  for (size_t begin = 0; begin < lines.size();) {
    const std::string title = Title(lines[begin]);
    std::vector<std::vector<std::string>> rows = {{"SYSTEM", "SETTING", "THREADS", "RECALL", "QPS",
                                                   "OF REPEATS", "P50 US", "P99 US", "BUILD",
                                                   "BYTES/VECTOR"}};
    size_t end = begin;
    for (; end < lines.size() && Title(lines[end]) == title; ++end) rows.push_back(Row(lines[end]));
    StrAppend(&out, out.empty() ? "" : "\n", title, "\n",
              FormatTable(rows, {kLeft, kRight, kRight, kRight, kRight, kRight, kRight, kRight,
                                 kRight, kRight}));
    begin = end;
  }
  return out;
}

StepLine::StepLine(const GlobalOptions& globals)
    : is_shown_(!globals.quiet && !globals.json && StandardErrorIsTerminal()) {}

void StepLine::Step(std::string_view text) {
  step_ = std::string(text);
  Draw(step_);
}

void StepLine::Share(double share) {
  if (absl::Now() < next_draw_) return;
  Draw(StrCat(step_, "  ", Fixed(share * 100, 0), "%"));
}

void StepLine::Draw(const std::string& text) {
  if (!is_shown_) return;
  next_draw_ = absl::Now() + kDrawInterval;
  // One column is left free: some terminals wrap when the last one is written.
  std::cerr << "\r\x1B[K" << Printable(text, Lines::kJoin).substr(0, TerminalWidth() - 1)
            << std::flush;
  drawn_ = true;
}

void StepLine::Clear() {
  if (std::exchange(drawn_, false)) std::cerr << "\r\x1B[K" << std::flush;
}

absl::Status ResultLines::OpenFile(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  path_ = path;
  file_.open(path, std::ios::app);
  if (file_.good()) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("--out '", path, "': it cannot be written"));
}

void ResultLines::Add(const Json& line) {
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (file_.is_open()) file_ << text << std::endl;
  if (prints_) std::cout << text << std::endl;
  lines_.push_back(line);
}

absl::Status ResultLines::Finish() {
  if (!file_.is_open() || file_.good()) return absl::OkStatus();
  return absl::DataLossError(StrCat("--out '", path_, "': not everything could be written"));
}

}  // namespace vettore
