// How benchmark results are shown to people, and where the lines for programs go.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cli/command.h"
#include "types/json.h"

namespace vettore {

// One table for each data set and set of queries: a row for each result line, in their order.
std::string BenchTable(const std::vector<Json>& lines);

// What is being done, in one line that is drawn over on a terminal; silent elsewhere. Externally
// synchronised.
class StepLine {
 public:
  explicit StepLine(const GlobalOptions& globals);
  StepLine(const StepLine&) = delete;
  StepLine& operator=(const StepLine&) = delete;
  ~StepLine() { Clear(); }

  void Step(std::string_view text);
  void Share(double share);  // Of the step, 0 to 1.
  void Clear();

 private:
  void Draw(const std::string& text);

  const bool is_shown_;
  std::string step_;
  absl::Time next_draw_ = absl::InfinitePast();
  bool drawn_ = false;
};

// Takes result lines as they come: appends them to a file, prints them with --json, keeps them for
// the table. Externally synchronised.
class ResultLines {
 public:
  explicit ResultLines(const GlobalOptions& globals) : prints_(globals.json) {}

  // The file is appended to; an empty path is none.
  absl::Status OpenFile(const std::string& path);
  void Add(const Json& line);
  const std::vector<Json>& lines() const { return lines_; }
  // DataLoss when the file could not be written.
  absl::Status Finish();

 private:
  const bool prints_;
  std::string path_;
  std::ofstream file_;
  std::vector<Json> lines_;
};

}  // namespace vettore
