#include "cli/interrupt.h"

#include <csignal>

namespace vettore {
namespace {

// A signal handler reaches nothing but what is global.
volatile std::sig_atomic_t happened = 0;

void OnSignal(int) { happened = 1; }

void Install(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

InterruptScope::InterruptScope() {
  happened = 0;
  Install(OnSignal, static_cast<int>(SA_RESETHAND));
}

InterruptScope::~InterruptScope() { Install(SIG_DFL, 0); }

bool InterruptScope::Happened() { return happened != 0; }

}  // namespace vettore
