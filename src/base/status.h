// How errors travel: absl::Status for what the world can cause, VETTORE_CHECK for what only our own
// bug can.
#pragma once

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strings.h"

// Returns the status of `expr` from the enclosing function unless it is OK. After an `if` it stands
// in braces.
#define VETTORE_RETURN_IF_ERROR(expr)                              \
  if (absl::Status status_of_expr = (expr); status_of_expr.ok()) { \
  } else                                                           \
    return status_of_expr

#define VETTORE_CONCAT_INNER(a, b) a##b
#define VETTORE_CONCAT(a, b) VETTORE_CONCAT_INNER(a, b)

// Declares or assigns `lhs` from a StatusOr, or returns its status.
#define VETTORE_ASSIGN_OR_RETURN(lhs, expr) \
  VETTORE_ASSIGN_OR_RETURN_NAMED(VETTORE_CONCAT(status_or_, __LINE__), lhs, expr)
#define VETTORE_ASSIGN_OR_RETURN_NAMED(name, lhs, expr) \
  auto name = (expr);                                   \
  if (!name.ok()) return std::move(name).status();      \
  lhs = *std::move(name)

// Aborts with place and text when `condition` is false: an invariant of our own is broken. Bytes
// from disk, from the wire or from a model file never reach a check.
#define VETTORE_CHECK(condition)                                              \
  do {                                                                        \
    if (!(condition)) ::vettore::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

namespace vettore {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

// The same status with `where` in front of its message: `where: message`. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view where);

}  // namespace vettore
