#include "types/quantization.h"

#include <array>

#include "absl/strings/escaping.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr std::array kQuantizations = {Quantization::kAuto, Quantization::kNone, Quantization::kSq8,
                                       Quantization::kSq4, Quantization::kRaBitQ};

}  // namespace

std::string_view NameOf(Quantization quantization) {
  switch (quantization) {
    case Quantization::kAuto:
      return "auto";
    case Quantization::kNone:
      return "none";
    case Quantization::kSq8:
      return "sq8";
    case Quantization::kSq4:
      return "sq4";
    case Quantization::kRaBitQ:
      return "rabitq";
  }
  return "";
}

absl::StatusOr<Quantization> ParseQuantization(std::string_view name) {
  for (const Quantization quantization : kQuantizations) {
    if (name == NameOf(quantization)) return quantization;
  }
  return absl::InvalidArgumentError(
      StrCat("quantization: wanted auto, none, sq8, sq4 or rabitq, got '",
             absl::CHexEscape(AbslView(name.substr(0, 64))), "'"));
}

}  // namespace vettore
