#include "cli/format/npy_header.h"

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
// NumPy itself writes under 1 KB; longer ones hold structured types, which are no vectors.
constexpr size_t kMaxDictionaryBytes = 16 << 10;
constexpr size_t kMaxRank = 8;

struct TypeRow {
  std::string_view name;
  NpyType type;
  size_t bytes;
};
// Of single bytes NumPy writes '|' for the byte order, other writers '<'.
constexpr std::array kTypes = {
    TypeRow{"<f2", NpyType::kFloat16, 2}, TypeRow{"<f4", NpyType::kFloat32, 4},
    TypeRow{"<f8", NpyType::kFloat64, 8}, TypeRow{"|i1", NpyType::kInt8, 1},
    TypeRow{"|u1", NpyType::kUint8, 1},   TypeRow{"<i4", NpyType::kInt32, 4},
    TypeRow{"<u4", NpyType::kUint32, 4},  TypeRow{"<i8", NpyType::kInt64, 8},
    TypeRow{"<u8", NpyType::kUint64, 8},  TypeRow{"<i1", NpyType::kInt8, 1},
    TypeRow{"<u1", NpyType::kUint8, 1},
};

// A cursor over the dictionary. Externally synchronised.
class DictionaryParser {
 public:
  DictionaryParser(std::string_view text, uint64_t offset, const InputFile& file)
      : text_(text), offset_(offset), file_(file) {}

  absl::StatusOr<NpyHeader> Parse() {
    VETTORE_RETURN_IF_ERROR(Expect('{'));
    while (!Consume('}')) {
      VETTORE_ASSIGN_OR_RETURN(const std::string key, QuotedText());
      VETTORE_RETURN_IF_ERROR(Expect(':'));
      VETTORE_RETURN_IF_ERROR(Entry(key));
      if (!Consume(',')) {
        VETTORE_RETURN_IF_ERROR(Expect('}'));
        break;
      }
    }
    SkipSpace();
    if (at_ != text_.size()) return Error("text after the header's closing brace");
    if (!type_ || !order_ || !shape_) {
      return Error("the header lacks 'descr', 'fortran_order' or 'shape'");
    }
    return NpyHeader{.type = *type_, .shape = *std::move(shape_)};
  }

 private:
  absl::Status Error(std::string_view problem) const {
    return file_.ErrorAt(offset_ + at_, StrCat("malformed .npy header: ", problem));
  }
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Consume(char wanted) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  absl::Status Expect(char wanted) {
    if (Consume(wanted)) return absl::OkStatus();
    const std::string got =
        at_ < text_.size() ? absl::CHexEscape(AbslView(text_.substr(at_, 1))) : "its end";
    return Error(StrCat("'", std::string(1, wanted), "' is wanted, got ", got));
  }
  bool ConsumeWord(std::string_view word) {
    SkipSpace();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  absl::StatusOr<std::string> QuotedText() {
    const char quote = Consume('\'') ? '\'' : Consume('"') ? '"' : '\0';
    if (quote == '\0') return Error("a quoted text is wanted");
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) return Error("a quoted text has no end");
    std::string text(text_.substr(at_, end - at_));
    at_ = end + 1;
    return text;
  }
  absl::StatusOr<uint64_t> Number() {
    SkipSpace();
    const size_t begin = at_;
    uint64_t number = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const uint64_t digit = static_cast<uint64_t>(text_[at_] - '0');
      if (number > (std::numeric_limits<uint64_t>::max() - digit) / 10) {
        return Error("a number of the shape does not fit 64 bits");
      }
      number = number * 10 + digit;
    }
    if (at_ == begin) return Error("a number of the shape is wanted");
    return number;
  }

  absl::Status Entry(std::string_view key) {
    if (key == "descr" && !type_) return Type();
    if (key == "fortran_order" && !order_) return Order();
    if (key == "shape" && !shape_) return Shape();
    return Error(StrCat("unexpected or repeated key '", absl::CHexEscape(AbslView(key)), "'"));
  }
  absl::Status Type() {
    if (Consume('[')) return Error("a structured type; a plain number type is wanted");
    VETTORE_ASSIGN_OR_RETURN(const std::string name, QuotedText());
    for (const TypeRow& row : kTypes) {
      if (row.name == name) type_ = row.type;
    }
    if (type_) return absl::OkStatus();
    return Error(StrCat("type '", absl::CHexEscape(name),
                        "' is not known; save the array with .astype('<f4')"));
  }
  absl::Status Order() {
    if (ConsumeWord("True")) {
      return Error(
          "the array is in Fortran order, C order is wanted; save numpy.ascontiguousarray(a)");
    }
    if (!ConsumeWord("False")) return Error("True or False is wanted");
    order_ = true;
    return absl::OkStatus();
  }
  absl::Status Shape() {
    VETTORE_RETURN_IF_ERROR(Expect('('));
    std::vector<uint64_t> shape;
    while (!Consume(')')) {
      VETTORE_ASSIGN_OR_RETURN(const uint64_t number, Number());
      shape.push_back(number);
      if (shape.size() > kMaxRank) return Error("more than 8 numbers in the shape");
      if (!Consume(',')) {
        VETTORE_RETURN_IF_ERROR(Expect(')'));
        break;
      }
    }
    shape_ = std::move(shape);
    return absl::OkStatus();
  }

  std::string_view text_;
  const uint64_t offset_;
  const InputFile& file_;
  size_t at_ = 0;
  std::optional<NpyType> type_;
  std::optional<bool> order_;
  std::optional<std::vector<uint64_t>> shape_;
};

// The bytes that the shape asks for, or nullopt past 64 bits.
std::optional<uint64_t> DataBytes(const NpyHeader& header) {
  uint64_t bytes = SizeOf(header.type);
  for (const uint64_t number : header.shape) {
    if (number != 0 && bytes > std::numeric_limits<uint64_t>::max() / number) return std::nullopt;
    bytes *= number;
  }
  return bytes;
}

absl::Status CheckDataSize(const NpyHeader& header, const InputFile& file) {
  const std::optional<uint64_t> wanted = DataBytes(header);
  if (!wanted) {
    return file.ErrorAt(kMagic.size(), StrCat("the shape (", absl::StrJoin(header.shape, ", "),
                                              ") does not fit 64 bits"));
  }
  if (!file.size() || *file.size() - file.offset() == *wanted) return absl::OkStatus();
  return file.ErrorAt(file.offset(),
                      StrCat("the header's shape (", absl::StrJoin(header.shape, ", "), ") of ",
                             NameOf(header.type), " wants ", *wanted,
                             " bytes of data, the file holds ", *file.size() - file.offset(),
                             *file.size() - file.offset() < *wanted ? "; it is cut short" : ""));
}

}  // namespace

size_t SizeOf(NpyType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.bytes;
  }
  return 0;
}

std::string_view NameOf(NpyType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.name;
  }
  return "";
}

absl::StatusOr<NpyHeader> ParseNpyDictionary(std::string_view text, uint64_t offset,
                                             const InputFile& file) {
  return DictionaryParser(text, offset, file).Parse();
}

absl::StatusOr<NpyHeader> ReadNpyHeader(InputFile& file) {
  std::string preamble(kMagic.size() + 2, '\0');
  VETTORE_ASSIGN_OR_RETURN(size_t got, file.Read(std::as_writable_bytes(std::span(preamble))));
  if (got < preamble.size() || !preamble.starts_with(kMagic)) {
    return file.ErrorAt(0, "not a .npy file: it does not begin with \\x93NUMPY");
  }
  const int major = static_cast<uint8_t>(preamble[kMagic.size()]);
  if (major < 1 || major > 3) {
    return file.ErrorAt(kMagic.size(), StrCat(".npy version ", major, "; 1, 2 and 3 are known"));
  }
  std::string length(major == 1 ? 2 : 4, '\0');
  VETTORE_ASSIGN_OR_RETURN(got, file.Read(std::as_writable_bytes(std::span(length))));
  if (got < length.size()) return file.ErrorAt(preamble.size(), "the .npy header is cut short");
  size_t dictionary_bytes = 0;
  for (size_t i = length.size(); i-- > 0;) {
    dictionary_bytes = dictionary_bytes << 8 | static_cast<uint8_t>(length[i]);
  }
  if (dictionary_bytes > kMaxDictionaryBytes) {
    return file.ErrorAt(preamble.size(),
                        StrCat("a .npy header of ", dictionary_bytes, " bytes, at most ",
                               kMaxDictionaryBytes, " are taken"));
  }
  const uint64_t dictionary_at = file.offset();
  std::string dictionary(dictionary_bytes, '\0');
  VETTORE_ASSIGN_OR_RETURN(got, file.Read(std::as_writable_bytes(std::span(dictionary))));
  if (got < dictionary.size())
    return file.ErrorAt(dictionary_at + got, "the .npy header is cut short");
  VETTORE_ASSIGN_OR_RETURN(NpyHeader header, ParseNpyDictionary(dictionary, dictionary_at, file));
  VETTORE_RETURN_IF_ERROR(CheckDataSize(header, file));
  return header;
}

std::string WriteNpyHeader(const std::vector<uint64_t>& shape) {
  std::string dictionary = StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (",
                                  absl::StrJoin(shape, ", "), shape.size() == 1 ? "," : "", "), }");
  const size_t dictionary_bytes = kNpyHeaderBytes - kMagic.size() - 4;
  VETTORE_CHECK(dictionary.size() < dictionary_bytes);
  dictionary.resize(dictionary_bytes - 1, ' ');
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(dictionary_bytes), '\x00'};
  return StrCat(header, dictionary, "\n");
}

}  // namespace vettore
