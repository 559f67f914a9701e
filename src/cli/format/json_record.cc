#include "cli/format/json_record.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

// Builds the value from the parser's events. nlohmann's own builder turns integers past 64 bits
// into doubles and lets the last of two equal keys win, both without a word.
class RecordBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit RecordBuilder(int max_depth) : max_depth_(max_depth) {}

  Json Take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t& token) override {
    if (token.find_first_of(".eE") == std::string::npos) {
      return Refuse(StrCat("integer ", token, " does not fit 64 bits"));
    }
    return Add(value);
  }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return Refuse("binary value"); }
  bool start_object(size_t) override { return Open(Json::object()); }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) return Refuse(StrCat("key \"", name, "\" twice"));
    key_ = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // The parser's text opens with its own name and number, and ends with what it read.
    std::string_view text = error.what();
    const size_t colon = text.find(": ");
    if (colon != std::string_view::npos) text.remove_prefix(colon + 2);
    return Refuse(StrCat("byte ", position == 0 ? 0 : position - 1, ": ", text));
  }

 private:
  bool Refuse(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }
  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::move(value));
    return &((*open_.back())[key_] = std::move(value));
  }
  bool Add(Json value) {
    Place(std::move(value));
    return true;
  }
  bool Open(Json value) {
    if (static_cast<int>(open_.size()) >= max_depth_) {
      return Refuse(StrCat("nested deeper than ", max_depth_));
    }
    open_.push_back(Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  const int max_depth_;
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
  std::string problem_;
};

}  // namespace

absl::StatusOr<Json> ParseJsonRecord(std::string_view text, int max_depth) {
  RecordBuilder builder(max_depth);
  if (!Json::sax_parse(text, &builder)) {
    return absl::InvalidArgumentError(StrCat("not a JSON object: ", builder.problem()));
  }
  Json record = builder.Take();
  if (!record.is_object()) {
    return absl::InvalidArgumentError(StrCat("a JSON object is wanted, got ", record.type_name()));
  }
  return record;
}

}  // namespace vettore
