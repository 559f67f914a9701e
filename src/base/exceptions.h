// The boundary to code that throws: what it throws becomes a status.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

#include "absl/status/status.h"
#include "base/strings.h"

namespace vettore {

// Without words when there is no memory for them either: a status without any allocates nothing.
inline absl::Status FailureOf(absl::StatusCode code, std::string_view action,
                              std::string_view reason) noexcept {
  try {
    return {code, StrCat("cannot ", action, ": ", reason)};
  } catch (const std::bad_alloc&) {
    return {code, ""};
  }
}

// Runs `call`, which returns an absl::Status or StatusOr, and returns what it returns. What it
// throws for want of memory becomes ResourceExhausted, anything else Internal; `action` says what
// was tried.
template <typename Call>
auto CatchExceptions(std::string_view action, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return FailureOf(absl::StatusCode::kResourceExhausted, action, "out of memory");
  } catch (const std::length_error&) {
    return FailureOf(absl::StatusCode::kResourceExhausted, action, "too large");
  } catch (const std::exception& thrown) {
    return FailureOf(absl::StatusCode::kInternal, action, thrown.what());
  }
}

}  // namespace vettore
