// The records that a bulk command could not store: shown, counted, and kept for the summary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/progress.h"
#include "types/json.h"

namespace vettore {

// Externally synchronised. The borrows must outlive it.
class FailureLog {
 public:
  FailureLog(const GlobalOptions& globals, ProgressMeter& meter)
      : globals_(globals), meter_(meter) {}

  // `message` opens with the record's place.
  void Add(std::string_view message);

  uint64_t count() const { return count_; }
  // The first messages, as many as anybody reads.
  const Json& messages() const { return messages_; }

 private:
  const GlobalOptions& globals_;
  ProgressMeter& meter_;
  uint64_t count_ = 0;
  Json messages_ = Json::array();
};

}  // namespace vettore
