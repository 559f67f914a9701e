#include "cli/filter_expression.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/format/blank.h"
#include "google/protobuf/util/json_util.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr std::string_view kSpecial = "()=!<>,\"'";

// A cursor over the expression. Externally synchronised.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<v1::Filter> Parse() {
    VETTORE_ASSIGN_OR_RETURN(v1::Filter filter, Expression(0));
    SkipSpace();
    if (at_ != text_.size()) return Error("'and', 'or' or the end");
    return filter;
  }

 private:
  absl::Status Error(std::string_view wanted) {
    SkipSpace();
    const std::string got =
        at_ == text_.size() ? "the end" : StrCat("'", text_.substr(at_, 20), "'");
    return UsageError(
        StrCat("filter '", text_, "': byte ", at_, ": ", wanted, " is wanted, got ", got));
  }
  void SkipSpace() {
    while (at_ < text_.size() && kAsciiSpace.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool Consume(std::string_view symbol) {
    SkipSpace();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }
  // The word at the cursor, without moving; empty when there is none.
  std::string_view PeekWord() {
    SkipSpace();
    size_t end = at_;
    while (end < text_.size() && kSpecial.find(text_[end]) == std::string_view::npos &&
           kAsciiSpace.find(text_[end]) == std::string_view::npos) {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }
  bool ConsumeWord(std::string_view word) {
    if (!absl::EqualsIgnoreCase(AbslView(PeekWord()), AbslView(word))) return false;
    at_ += word.size();
    return true;
  }

  absl::StatusOr<v1::Filter> Expression(int depth) {
    VETTORE_ASSIGN_OR_RETURN(v1::Filter first, All(depth));
    if (!ConsumeWord("or")) return first;
    v1::Filter any;
    *any.mutable_any()->add_filters() = std::move(first);
    do {
      VETTORE_ASSIGN_OR_RETURN(*any.mutable_any()->add_filters(), All(depth));
    } while (ConsumeWord("or"));
    return any;
  }

  absl::StatusOr<v1::Filter> All(int depth) {
    VETTORE_ASSIGN_OR_RETURN(v1::Filter first, One(depth));
    if (!ConsumeWord("and")) return first;
    v1::Filter all;
    *all.mutable_all()->add_filters() = std::move(first);
    do {
      VETTORE_ASSIGN_OR_RETURN(*all.mutable_all()->add_filters(), One(depth));
    } while (ConsumeWord("and"));
    return all;
  }

  absl::StatusOr<v1::Filter> One(int depth) {
    if (depth > limits::kFilterDepth) {
      return UsageError(StrCat("filter: nested deeper than ", limits::kFilterDepth));
    }
    if (ConsumeWord("not")) {
      VETTORE_ASSIGN_OR_RETURN(v1::Filter operand, One(depth + 1));
      return Not(std::move(operand));
    }
    if (Consume("(")) {
      VETTORE_ASSIGN_OR_RETURN(v1::Filter inner, Expression(depth + 1));
      if (!Consume(")")) return Error("')'");
      return inner;
    }
    return Condition();
  }

  static v1::Filter Not(v1::Filter operand) {
    v1::Filter filter;
    *filter.mutable_negate() = std::move(operand);
    return filter;
  }

  absl::StatusOr<v1::Filter> Condition() {
    VETTORE_ASSIGN_OR_RETURN(const std::string field, Text("a field"));
    v1::Filter filter;
    if (ConsumeWord("exists")) {
      filter.mutable_exists()->set_field(field);
      return filter;
    }
    if (ConsumeWord("in")) {
      filter.mutable_one_of()->set_field(field);
      VETTORE_RETURN_IF_ERROR(Values(*filter.mutable_one_of()));
      return filter;
    }
    const bool unequal = Consume("!=");
    if (unequal || Consume("==") || Consume("=")) {
      filter.mutable_equals()->set_field(field);
      VETTORE_ASSIGN_OR_RETURN(*filter.mutable_equals()->mutable_value(), Value());
      return unequal ? Not(std::move(filter)) : filter;
    }
    filter.mutable_range()->set_field(field);
    VETTORE_RETURN_IF_ERROR(Bound(*filter.mutable_range()));
    return filter;
  }

  absl::Status Bound(v1::FieldRange& range) {
    void (v1::FieldRange::*set)(double) = nullptr;
    if (Consume("<=")) {
      set = &v1::FieldRange::set_lte;
    } else if (Consume("<")) {
      set = &v1::FieldRange::set_lt;
    } else if (Consume(">=")) {
      set = &v1::FieldRange::set_gte;
    } else if (Consume(">")) {
      set = &v1::FieldRange::set_gt;
    } else {
      return Error("one of = != < <= > >= in exists");
    }
    const std::string_view word = PeekWord();
    const std::optional<v1::Scalar> value = NumberOf(word);
    if (!value) return Error("a number");
    at_ += word.size();
    (range.*set)(value->has_integer() ? static_cast<double>(value->integer()) : value->number());
    return absl::OkStatus();
  }

  absl::Status Values(v1::FieldOneOf& one_of) {
    if (!Consume("(")) return Error("'('");
    do {
      VETTORE_ASSIGN_OR_RETURN(*one_of.add_values(), Value());
    } while (Consume(","));
    return Consume(")") ? absl::OkStatus() : Error("',' or ')'");
  }

  // A word or a quoted text.
  absl::StatusOr<std::string> Text(std::string_view wanted) {
    SkipSpace();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '"' && quote != '\'') {
      const std::string_view word = PeekWord();
      if (word.empty()) return Error(wanted);
      at_ += word.size();
      return std::string(word);
    }
    std::string text;
    for (size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        at_ = i + 1;
        return text;
      }
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      text += text_[i];
    }
    return Error("a closing quote");
  }

  absl::StatusOr<v1::Scalar> Value() {
    const std::string_view word = PeekWord();
    v1::Scalar value;
    if (word == "true" || word == "false") {
      value.set_boolean(word == "true");
      at_ += word.size();
      return value;
    }
    if (const std::optional<v1::Scalar> number = NumberOf(word)) {
      at_ += word.size();
      return *number;
    }
    VETTORE_ASSIGN_OR_RETURN(std::string text, Text("a value"));
    value.set_text(std::move(text));
    return value;
  }

  static std::optional<v1::Scalar> NumberOf(std::string_view word) {
    const char* end = word.data() + word.size();
    v1::Scalar value;
    int64_t integer = 0;
    const std::from_chars_result as_integer = std::from_chars(word.data(), end, integer);
    if (as_integer.ec == std::errc() && as_integer.ptr == end) {
      value.set_integer(integer);
      return value;
    }
    // from_chars reads "inf" and "nan" too, which are words here.
    if (word.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return {};
    double number = 0;
    const std::from_chars_result as_number = std::from_chars(word.data(), end, number);
    if (as_number.ec != std::errc() || as_number.ptr != end) return {};
    value.set_number(number);
    return value;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<v1::Filter> ParseFilterExpression(std::string_view text) {
  if (!IsValidUtf8(text)) return UsageError("filter: the text is not UTF-8");
  if (!Strip(text).starts_with("{")) return Parser(text).Parse();
  v1::Filter filter;
  const auto parsed = google::protobuf::util::JsonStringToMessage(std::string(text), &filter);
  if (!parsed.ok()) {
    return UsageError(StrCat("filter: not a Filter of the API as JSON: ", parsed.ToString()));
  }
  return filter;
}

}  // namespace vettore
