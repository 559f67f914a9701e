#include "types/faiss_factory.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "base/strings.h"
#include "types/limits.h"

namespace vettore {
namespace {

// As FAISS advises; it warns below.
constexpr uint32_t kPointsPerCentroid = 39;
// The values of one trained matrix, and of the codebooks of one quantizer: 64 and 256 MiB.
constexpr uint64_t kMatrixValues = uint64_t{1} << 24;
constexpr uint64_t kCodebookValues = uint64_t{1} << 26;
constexpr uint32_t kMostBits = 12;
constexpr uint32_t kBitsOfByte = 8;
constexpr uint32_t kMostParts = 4'096;
// OPQ learns its rotation with codes of 8 bits.
constexpr uint32_t kOpqCentroids = 256;

constexpr std::string_view kWanted =
    "wanted transforms (PCA, PCAR, OPQ, RR, Pad, L2norm), then Flat, SQ4, SQ6, SQ8, SQfp16, PQ, "
    "LSH, HNSW or IVF, as in 'OPQ32,IVF1024,PQ32'";

// What stands in FAISS's strings for a reason that does not hold here.
struct Refusal {
  std::string_view part;
  std::string_view reason;
};
constexpr std::array kRefusals = {
    Refusal{"RFlat",
            "leave it out: the nearest are measured again with the vectors as they were written; "
            "how many says 'rerank'"},
    Refusal{"Refine",
            "leave it out: the nearest are measured again with the vectors as they were written; "
            "how many says 'rerank'"},
    Refusal{"IDMap", "leave it out: points have ids of their own"},
    Refusal{"B", "indexes of binary vectors do not take floats"},
};

// Reads a string from its front. Externally synchronised.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : left_(text) {}

  bool Take(std::string_view literal) {
    if (!left_.starts_with(literal)) return false;
    left_.remove_prefix(literal.size());
    return true;
  }
  // Up to nine digits.
  std::optional<uint32_t> TakeNumber() {
    constexpr size_t kMostDigits = 9;
    uint32_t number = 0;
    size_t digits = 0;
    for (; digits < left_.size() && left_[digits] >= '0' && left_[digits] <= '9'; ++digits) {
      if (digits == kMostDigits) return std::nullopt;
      number = number * 10 + static_cast<uint32_t>(left_[digits] - '0');
    }
    left_.remove_prefix(digits);
    return digits == 0 ? std::nullopt : std::optional(number);
  }
  bool at_end() const { return left_.empty(); }
  std::string_view left() const { return left_; }

 private:
  std::string_view left_;
};

// Externally synchronised.
class FactoryParser {
 public:
  FactoryParser(std::string_view factory, uint32_t dimension)
      : factory_(factory), scanner_(factory), dimension_(dimension) {}

  absl::StatusOr<FaissFactory> Parse() {
    for (const Refusal& refusal : kRefusals) {
      const size_t at = factory_.find(refusal.part);
      if (at == std::string_view::npos || (at > 0 && refusal.part == "B")) continue;
      return Invalid(StrCat("'", refusal.part, "': ", refusal.reason));
    }
    while (true) {
      VETTORE_ASSIGN_OR_RETURN(const bool was_transform, ParseTransform());
      if (!was_transform) break;
      if (!scanner_.Take(",")) return Invalid("a structure is to follow the transforms");
    }
    VETTORE_RETURN_IF_ERROR(ParseStructure());
    if (!scanner_.at_end()) {
      return Invalid(StrCat("'", scanner_.left(), "' is too much; ", kWanted));
    }
    return shape_;
  }

 private:
  absl::Status Invalid(std::string_view what) const {
    return absl::InvalidArgumentError(StrCat("faiss.factory '", factory_, "': ", what));
  }

  absl::StatusOr<bool> ParseTransform() {
    const bool is_rotated_pca = scanner_.Take("PCAR");
    if (is_rotated_pca || scanner_.Take("PCA")) {
      VETTORE_RETURN_IF_ERROR(Reduce(is_rotated_pca ? "PCAR" : "PCA", scanner_.TakeNumber()));
      NeedSample(dimension_);
    } else if (scanner_.Take("OPQ")) {
      const std::optional<uint32_t> parts = scanner_.TakeNumber();
      const uint32_t before = dimension_;
      VETTORE_RETURN_IF_ERROR(
          Reduce("OPQ", scanner_.Take("_") ? scanner_.TakeNumber() : std::optional(before)));
      VETTORE_RETURN_IF_ERROR(CheckParts("OPQ", parts));
      VETTORE_RETURN_IF_ERROR(CheckCodebook("OPQ", kBitsOfByte));
      NeedCentroids(kOpqCentroids);
      NeedSample(before);
    } else if (scanner_.Take("RR")) {
      const std::optional<uint32_t> to = scanner_.TakeNumber();
      VETTORE_RETURN_IF_ERROR(Reduce("RR", to.value_or(dimension_)));
    } else if (scanner_.Take("Pad")) {
      const std::optional<uint32_t> to = scanner_.TakeNumber();
      if (!to || *to < dimension_ || *to > limits::kDimension) {
        return Invalid(StrCat("Pad: wanted ", dimension_, " to ", limits::kDimension,
                              " dimensions, got ", Text(to)));
      }
      dimension_ = *to;
    } else if (!scanner_.Take("L2norm")) {
      return false;
    }
    is_transformed_ = true;
    return true;
  }

  // To `to` dimensions, with a matrix.
  absl::Status Reduce(std::string_view name, std::optional<uint32_t> to) {
    if (!to || *to == 0 || *to > dimension_) {
      return Invalid(StrCat(name, ": wanted 1 to ", dimension_, " dimensions, got ", Text(to)));
    }
    if (uint64_t{dimension_} * *to > kMatrixValues) {
      return Invalid(StrCat(name, ": a matrix of ", dimension_, " by ", *to,
                            " values is too large, at most ", kMatrixValues, " go"));
    }
    dimension_ = *to;
    return absl::OkStatus();
  }

  absl::Status ParseStructure() {
    if (scanner_.Take("IVF")) return ParseIvf();
    if (scanner_.Take("HNSW")) {
      VETTORE_RETURN_IF_ERROR(ParseNeighbors());
      if (!scanner_.Take(",") && !scanner_.Take("_")) {
        shape_.keeps_vectors = !is_transformed_;
        return absl::OkStatus();
      }
      in_graph_ = true;
      return ParseCodes("behind HNSW stands Flat, SQ4, SQ6, SQ8, SQfp16 or PQ");
    }
    if (scanner_.Take("LSH")) {
      scanner_.Take("r");
      scanner_.Take("t");
      if (uint64_t{dimension_} * dimension_ > kMatrixValues) {
        return Invalid(StrCat("LSH: ", dimension_, " dimensions are too many to rotate"));
      }
      return absl::OkStatus();
    }
    return ParseCodes(kWanted);
  }

  absl::Status ParseIvf() {
    const std::optional<uint32_t> number = scanner_.TakeNumber();
    const uint64_t lists = uint64_t{number.value_or(0)} * (scanner_.Take("k") ? 1'024 : 1);
    if (lists == 0 || lists > limits::kNlist) {
      return Invalid(StrCat("IVF: wanted 1 to ", limits::kNlist, " lists, got ",
                            number ? StrCat(lists) : "none"));
    }
    NeedCentroids(static_cast<uint32_t>(lists));
    if (scanner_.Take("_HNSW")) {
      VETTORE_RETURN_IF_ERROR(ParseNeighbors());
    }
    constexpr std::string_view kCodes =
        "behind IVF stands a comma and Flat, SQ4, SQ6, SQ8, SQfp16 or PQ";
    if (!scanner_.Take(",")) return Invalid(kCodes);
    in_lists_ = true;
    return ParseCodes(kCodes);
  }

  // Of a graph; 32 when the string does not say.
  absl::Status ParseNeighbors() {
    const uint32_t m = scanner_.TakeNumber().value_or(32);
    if (m >= limits::kMinM && m <= limits::kMaxM) return absl::OkStatus();
    return Invalid(
        StrCat("HNSW: wanted ", limits::kMinM, " to ", limits::kMaxM, " neighbours, got ", m));
  }

  absl::Status ParseCodes(std::string_view wanted) {
    if (scanner_.Take("Flat")) {
      shape_.keeps_vectors = !is_transformed_;
      return absl::OkStatus();
    }
    for (const std::string_view scalar : {"SQ4", "SQ6", "SQ8", "SQfp16"}) {
      if (scanner_.Take(scalar)) return absl::OkStatus();
    }
    if (scanner_.Take("PQ")) return ParseProduct();
    return Invalid(wanted);
  }

  absl::Status ParseProduct() {
    VETTORE_RETURN_IF_ERROR(CheckParts("PQ", scanner_.TakeNumber()));
    if (scanner_.Take("x4fs")) {
      if (in_lists_) scanner_.Take("r");
      if (in_graph_) return Invalid("PQ: fast scan does not go with HNSW");
      NeedCentroids(16);
      return CheckCodebook("PQ", 4);
    }
    // FAISS makes what only they take with 8 bits.
    const uint32_t most = in_lists_ || in_graph_ ? kBitsOfByte : kMostBits;
    const uint32_t bits = scanner_.Take("x") ? scanner_.TakeNumber().value_or(0) : kBitsOfByte;
    if (bits == 0 || bits > most) {
      return Invalid(StrCat("PQ: wanted codes of 1 to ", most, " bits, got ", bits));
    }
    if (in_graph_ && bits != kBitsOfByte) {
      return Invalid(StrCat("PQ: behind HNSW its codes have 8 bits, got ", bits));
    }
    scanner_.Take("np");
    NeedCentroids(uint32_t{1} << bits);
    return CheckCodebook("PQ", bits);
  }

  absl::Status CheckParts(std::string_view name, std::optional<uint32_t> parts) {
    // A graph keeps a table of all pairs of codewords: 256 KiB a part.
    const uint32_t most = std::min(in_graph_ ? uint32_t{1'024} : kMostParts, dimension_);
    if (parts && *parts > 0 && *parts <= most && dimension_ % *parts == 0) return absl::OkStatus();
    return Invalid(StrCat(name, ": wanted a divisor of the dimension ", dimension_, ", at most ",
                          most, ", got ", Text(parts)));
  }

  absl::Status CheckCodebook(std::string_view name, uint32_t bits) const {
    if (uint64_t{dimension_} << bits <= kCodebookValues) return absl::OkStatus();
    return Invalid(StrCat(name, ": codebooks of ", bits, " bits over ", dimension_,
                          " dimensions are too large, at most ", kCodebookValues, " values go"));
  }

  static std::string Text(std::optional<uint32_t> number) {
    return number ? StrCat(*number) : "none";
  }
  void NeedCentroids(uint32_t count) {
    shape_.most_centroids = std::max(shape_.most_centroids, count);
    NeedSample(count * kPointsPerCentroid);
  }
  void NeedSample(uint32_t vectors) {
    shape_.least_sample = std::max(shape_.least_sample, vectors);
  }

  const std::string_view factory_;
  Scanner scanner_;
  uint32_t dimension_;  // Behind the transforms so far.
  bool is_transformed_ = false;
  bool in_lists_ = false;
  bool in_graph_ = false;
  FaissFactory shape_;
};

// Text that a message may quote.
absl::Status CheckText(std::string_view field, std::string_view text) {
  if (text.size() > limits::kFaissBytes) {
    return absl::InvalidArgumentError(
        StrCat(field, ": at most ", limits::kFaissBytes, " bytes, got ", text.size()));
  }
  const auto is_plain = [](char c) { return c > ' ' && c < 0x7F; };
  if (std::all_of(text.begin(), text.end(), is_plain)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat(field, ": '", absl::CHexEscape(AbslView(text)),
             "' holds what is neither letter, digit nor sign; spaces do not go either"));
}

struct Parameter {
  std::string_view name;
  uint32_t high;
};
constexpr std::array kParameters = {
    Parameter{"nprobe", limits::kNprobe}, Parameter{"efSearch", limits::kEfSearch},
    Parameter{"efConstruction", limits::kEfConstruction},
    Parameter{"quantizer_efSearch", limits::kEfSearch}, Parameter{"max_codes", 999'999'999}};

}  // namespace

absl::StatusOr<FaissFactory> ParseFaissFactory(std::string_view factory, uint32_t dimension) {
  VETTORE_RETURN_IF_ERROR(CheckText("faiss.factory", factory));
  return FactoryParser(factory, dimension).Parse();
}

absl::Status CheckFaissParameters(std::string_view parameters) {
  constexpr std::string_view kField = "faiss.search_parameters";
  VETTORE_RETURN_IF_ERROR(CheckText(kField, parameters));
  if (parameters.empty()) return absl::OkStatus();
  Scanner scanner(parameters);
  do {
    const auto* const known =
        std::find_if(kParameters.begin(), kParameters.end(),
                     [&](const Parameter& each) { return scanner.Take(StrCat(each.name, "=")); });
    if (known == kParameters.end()) {
      return absl::InvalidArgumentError(
          StrCat(kField, " '", parameters,
                 "': wanted nprobe, efSearch, efConstruction, quantizer_efSearch or max_codes, "
                 "each with '=' and a number, and commas between; got '",
                 scanner.left(), "'"));
    }
    const std::optional<uint32_t> value = scanner.TakeNumber();
    if (!value || *value == 0 || *value > known->high) {
      return absl::InvalidArgumentError(StrCat(kField, ": ", known->name, ": wanted 1 to ",
                                               known->high, ", got ",
                                               value ? StrCat(*value) : "no such number"));
    }
  } while (scanner.Take(","));
  if (scanner.at_end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat(kField, " '", parameters, "': '", scanner.left(), "' is too much"));
}

}  // namespace vettore
