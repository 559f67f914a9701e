// Ctrl-C during a long command.
#pragma once

namespace vettore {

// While one lives, the first SIGINT or SIGTERM only sets a flag, so that the command can say how
// far it came; the second ends the process. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  ~InterruptScope();

  static bool Happened();
};

}  // namespace vettore
