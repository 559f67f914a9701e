// Text for people: widths, wrapping, tables, numbers; and errors for people and programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace vettore {

enum class Align { kLeft, kRight };

// Columns of the terminal that standard output (or error) is, within 40 to 120; 80 when it is none.
size_t TerminalWidth();
bool StandardErrorIsTerminal();

// Stored text without what would steer the terminal: control characters become spaces, line ends
// stay only with kKeep.
enum class Lines { kJoin, kKeep };
std::string Printable(std::string_view text, Lines lines);

// Words of `text`, in lines of at most `width` characters that each begin with `indent` spaces, at
// most `max_lines` of them (then the last ends with "..."). Ends with a newline unless empty.
std::string Wrap(std::string_view text, size_t indent, size_t width, size_t max_lines);

// Characters, not bytes, of UTF-8; wide and combining ones count as one.
size_t CharacterCount(std::string_view text);

// Rows of cells in columns as wide as their widest cell, two spaces apart. The first row is the
// heading.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows,
                        const std::vector<Align>& columns);

std::string FormatCount(uint64_t count);  // "1,234,567"
// "1 file", "2,000 files".
std::string CountOf(uint64_t count, std::string_view noun);
std::string FormatBytes(uint64_t bytes);      // "1.5 MB"; 1024 to a step
std::string FormatSpan(absl::Duration span);  // "850 ms", "12.5 s", "3 min 20 s", "2 h 05 min"
std::string FormatScore(float score);         // "0.7123"

// On standard error: `vettore: message`, or {"error": {"code": "NOT_FOUND", "message": "..."}}.
void PrintError(const absl::Status& status, bool as_json);

// "NOT_FOUND", as gRPC spells the codes.
std::string_view CodeName(absl::StatusCode code);

}  // namespace vettore
