#include "types/json.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/strings.h"

namespace vettore {
namespace {

// Tells the handler how far the lexer has read, which nlohmann's SAX events do not say.
class TextIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TextIterator(const char* current, const char** furthest)
      : current_(current), furthest_(furthest) {}
  const char& operator*() const { return *current_; }
  TextIterator& operator++() {
    *furthest_ = ++current_;
    return *this;
  }
  friend bool operator==(const TextIterator& a, const TextIterator& b) {
    return a.current_ == b.current_;
  }

 private:
  const char* current_;
  const char** furthest_;
};

// Builds the value from SAX events and refuses what a payload cannot hold before it is built. The
// parser beneath keeps its own stack on the heap, so depth costs no machine stack.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  JsonBuilder(std::string_view text, int max_depth)
      : text_(text), furthest_(text.data()), max_depth_(max_depth) {}

  TextIterator begin() { return {text_.data(), &furthest_}; }
  TextIterator end() { return {text_.data() + text_.size(), &furthest_}; }
  absl::Status TakeError() { return std::move(error_); }
  Json TakeRoot() { return std::move(root_); }

  bool null() override { return Place(nullptr); }
  bool boolean(bool value) override { return Place(value); }
  bool number_integer(int64_t value) override { return Place(value); }
  bool number_unsigned(uint64_t value) override {
    if (value > uint64_t{std::numeric_limits<int64_t>::max()}) return RefuseInteger();
    return Place(value);
  }
  bool number_float(double value, const std::string& token) override {
    // The lexer hands over an integer that does not fit 64 bits as a rounded double.
    if (token.find_first_of(".eE") == std::string::npos) return RefuseInteger();
    return Place(value);
  }
  bool string(std::string& value) override { return Place(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON text has none.

  bool start_object(size_t) override { return Open(Json::object()); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool key(std::string& name) override {
    member_ = &(*open_.back())[std::move(name)];
    return true;
  }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool parse_error(size_t position, const std::string&, const Json::exception& error) override {
    // What the library says opens with its own name and place and ends with the bytes read, however
    // many.
    std::string_view reason = error.what();
    if (const size_t dash = reason.find(" - "); dash != std::string_view::npos) {
      reason.remove_prefix(dash + 3);
    }
    reason = reason.substr(0, reason.find("; last read"));
    return Refuse(std::min(position == 0 ? 0 : position - 1, text_.size()),
                  absl::CHexEscape(AbslView(reason.substr(0, 200))));
  }

 private:
  bool Place(Json value) {
    *Next() = std::move(value);
    return true;
  }
  bool Open(Json container) {
    if (open_.size() >= static_cast<size_t>(max_depth_)) {
      return Refuse(static_cast<size_t>(furthest_ - text_.data()) - 1,
                    StrCat("nested deeper than ", max_depth_, " levels"));
    }
    Json* place = Next();
    *place = std::move(container);
    open_.push_back(place);
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  // Where the next value goes. Pointers stay good: while a container is open, the one around it
  // does not grow.
  Json* Next() {
    if (open_.empty()) return &root_;
    if (open_.back()->is_object()) return member_;
    return &open_.back()->emplace_back();
  }

  bool RefuseInteger() {
    const auto in_number = [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
    };
    size_t stop = static_cast<size_t>(furthest_ - text_.data());
    while (stop > 0 && !in_number(text_[stop - 1])) --stop;
    size_t start = stop;
    while (start > 0 && in_number(text_[start - 1])) --start;
    return Refuse(start, StrCat("integer ", text_.substr(start, std::min<size_t>(stop - start, 40)),
                                " does not fit 64 bits with sign"));
  }
  bool Refuse(size_t offset, std::string_view reason) {
    error_ =
        absl::InvalidArgumentError(StrCat("malformed JSON at byte offset ", offset, ": ", reason));
    return false;
  }

  const std::string_view text_;
  const char* furthest_;
  const int max_depth_;
  Json root_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text, int max_depth) {
  // The lexer takes a NUL for the end of its input and would let anything follow it.
  if (const size_t offset = text.find('\0'); offset != std::string_view::npos) {
    return absl::InvalidArgumentError(
        StrCat("malformed JSON at byte offset ", offset, ": a NUL byte"));
  }
  JsonBuilder builder(text, max_depth);
  if (Json::sax_parse(builder.begin(), builder.end(), &builder)) return builder.TakeRoot();
  absl::Status error = builder.TakeError();
  return error.ok() ? absl::InvalidArgumentError("malformed JSON") : error;
}

const Json* FindPath(const Json& object, std::string_view path) {
  if (!object.is_object()) return nullptr;
  if (const auto whole = object.find(path); whole != object.end()) return &*whole;
  for (size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const auto outer = object.find(path.substr(0, dot));
    if (outer == object.end()) continue;
    if (const Json* found = FindPath(*outer, path.substr(dot + 1))) return found;
  }
  return nullptr;
}

}  // namespace vettore
