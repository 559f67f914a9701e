#include "cli/failure_log.h"

#include <iostream>

#include "cli/terminal.h"

namespace vettore {
namespace {

constexpr uint64_t kShown = 20;
constexpr uint64_t kKept = 100;

}  // namespace

void FailureLog::Add(std::string_view message) {
  ++count_;
  if (count_ <= kKept) messages_.push_back(message);
  if (globals_.json || count_ > kShown + 1) return;
  meter_.Clear();
  if (count_ <= kShown) {
    std::cerr << "not stored: " << Printable(message, Lines::kJoin) << "\n";
  } else {
    std::cerr << "further records that are not stored are only counted\n";
  }
}

}  // namespace vettore
