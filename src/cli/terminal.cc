#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "absl/strings/str_format.h"
#include "base/strings.h"
#include "types/json.h"

namespace vettore {
namespace {

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

size_t TerminalWidth() {
  constexpr size_t kNarrowest = 40;
  constexpr size_t kWidest = 120;
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      return std::clamp<size_t>(size.ws_col, kNarrowest, kWidest);
    }
  }
  return 80;
}

bool StandardErrorIsTerminal() { return ::isatty(STDERR_FILENO) == 1; }

std::string Printable(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls too: 0xC2 and one of these.
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (text[i] == '\n' && lines == Lines::kKeep) {
      out += '\n';
    } else if (byte < 0x20 || byte == 0x7F || c1) {
      out += ' ';
      if (c1) ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

size_t CharacterCount(std::string_view text) {
  return text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

std::string Wrap(std::string_view text, size_t indent, size_t width, size_t max_lines) {
  const size_t room = width > indent + 10 ? width - indent : 10;
  std::vector<std::string> lines;
  std::string line;
  bool cut = false;
  for (size_t at = text.find_first_not_of(" \n\t"); at != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(" \n\t", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!line.empty() && CharacterCount(line) + 1 + CharacterCount(word) > room) {
      if (lines.size() + 1 == max_lines) {
        cut = true;
        break;
      }
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    at = text.find_first_not_of(" \n\t", end);
  }
  if (!line.empty()) lines.push_back(std::move(line));
  if (cut) lines.back() += " ...";
  std::string out;
  for (const std::string& wrapped : lines) {
    StrAppend(&out, std::string(indent, ' '), wrapped, "\n");
  }
  return out;
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows,
                        const std::vector<Align>& columns) {
  std::vector<size_t> widths(columns.size());
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], CharacterCount(row[i]));
  }
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    std::string text;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - CharacterCount(row[i]), ' ');
      if (i > 0) text += "  ";
      text += columns[i] == Align::kLeft ? row[i] + padding : padding + row[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    StrAppend(&out, text, "\n");
  }
  return out;
}

std::string FormatCount(uint64_t count) {
  std::string digits = StrCat(count);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string CountOf(uint64_t count, std::string_view noun) {
  return StrCat(FormatCount(count), " ", noun, count == 1 ? "" : "s");
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  size_t unit = 0;
  auto amount = static_cast<double>(bytes);
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  if (unit == 0) return StrCat(bytes, " B");
  return absl::StrFormat("%.*f %s", amount < 10 ? 1 : 0, amount, kUnits[unit]);
}

std::string FormatSpan(absl::Duration span) {
  const double seconds = absl::ToDoubleSeconds(span);
  if (seconds < 1) return absl::StrFormat("%.0f ms", seconds * 1e3);
  if (seconds < 60) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = absl::ToInt64Seconds(span);
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d min", whole / 3600, whole % 3600 / 60);
}

std::string FormatScore(float score) { return absl::StrFormat("%.4f", score); }

std::string_view CodeName(absl::StatusCode code) {
  static const std::array kNames = {"OK",
                                    "CANCELLED",
                                    "UNKNOWN",
                                    "INVALID_ARGUMENT",
                                    "DEADLINE_EXCEEDED",
                                    "NOT_FOUND",
                                    "ALREADY_EXISTS",
                                    "PERMISSION_DENIED",
                                    "RESOURCE_EXHAUSTED",
                                    "FAILED_PRECONDITION",
                                    "ABORTED",
                                    "OUT_OF_RANGE",
                                    "UNIMPLEMENTED",
                                    "INTERNAL",
                                    "UNAVAILABLE",
                                    "DATA_LOSS",
                                    "UNAUTHENTICATED"};
  const auto at = static_cast<size_t>(code);
  return at < kNames.size() ? kNames[at] : "UNKNOWN";
}

void PrintError(const absl::Status& status, bool as_json) {
  const std::string_view message = StdView(status.message());
  if (as_json) {
    const Json error = {{"error", {{"code", CodeName(status.code())}, {"message", message}}}};
    std::cerr << error.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return;
  }
  std::cerr << "vettore: " << Printable(message, Lines::kKeep) << "\n";
}

}  // namespace vettore
