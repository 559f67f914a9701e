// What the typed kernels must give, in double precision, and random elements of their types.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

#include "simd/element_types.h"
#include "simd/reference.h"

namespace vettore::simd {

// A distance, and how far single precision may be from it; zero for integers.
struct Expected {
  double value = 0;
  double tolerance = 0;
};
using Wanted = Expected (*)(const std::vector<double>& a, const std::vector<double>& b);

template <typename Element>
double Meaning(Element element) {
  if constexpr (std::is_same_v<Element, Float16> || std::is_same_v<Element, BFloat16>) {
    return ToFloat(element);
  } else {
    return static_cast<double>(element);
  }
}
template <typename Element>
std::vector<double> Meanings(const std::vector<Element>& elements) {
  std::vector<double> meanings;
  for (const Element element : elements) meanings.push_back(Meaning(element));
  return meanings;
}

// The sum of term(a[i], b[i]).
template <typename Result, typename Term>
Expected SumOfTerms(const std::vector<double>& a, const std::vector<double>& b, Term term) {
  Expected sum;
  double magnitude = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum.value += term(a[i], b[i]);
    magnitude += std::abs(term(a[i], b[i]));
  }
  // The rounding of a sum grows with the terms' magnitudes; a lost lane is far outside.
  if (std::is_floating_point_v<Result>) sum.tolerance = 1e-5 * magnitude + 1e-30;
  return sum;
}

template <typename Result>
Expected WantedL2Squared(const std::vector<double>& a, const std::vector<double>& b) {
  return SumOfTerms<Result>(a, b, [](double x, double y) { return (x - y) * (x - y); });
}
template <typename Result>
Expected WantedInnerProduct(const std::vector<double>& a, const std::vector<double>& b) {
  return SumOfTerms<Result>(a, b, [](double x, double y) { return x * y; });
}
template <typename Result>
Expected WantedL1(const std::vector<double>& a, const std::vector<double>& b) {
  return SumOfTerms<Result>(a, b, [](double x, double y) { return std::abs(x - y); });
}

inline int OnesOf(unsigned value) { return std::popcount(value); }
inline unsigned BitsOf(double byte) { return static_cast<unsigned>(byte); }

inline Expected WantedHamming(const std::vector<double>& a, const std::vector<double>& b) {
  return SumOfTerms<uint32_t>(a, b,
                              [](double x, double y) { return OnesOf(BitsOf(x) ^ BitsOf(y)); });
}
inline Expected WantedCommonBits(const std::vector<double>& a, const std::vector<double>& b) {
  return SumOfTerms<uint32_t>(a, b,
                              [](double x, double y) { return OnesOf(BitsOf(x) & BitsOf(y)); });
}
inline Expected WantedJaccard(const std::vector<double>& a, const std::vector<double>& b) {
  const double both = WantedCommonBits(a, b).value;
  const double either = both + WantedHamming(a, b).value;
  return {.value = either == 0 ? 0 : 1 - both / either, .tolerance = 1e-7};
}

// Of the whole range, but for floats, whose magnitudes lie between 0.5 and 2.
template <typename Element>
std::vector<Element> RandomElements(size_t count, std::mt19937& random) {
  std::vector<Element> elements;
  const std::vector<float> floats = RandomVector(count, random);
  for (const float value : floats) {
    if constexpr (std::is_same_v<Element, float>) {
      elements.push_back(value);
    } else if constexpr (std::is_same_v<Element, Float16>) {
      elements.push_back(ToFloat16(value));
    } else if constexpr (std::is_same_v<Element, BFloat16>) {
      elements.push_back(ToBFloat16(value));
    } else {
      elements.push_back(static_cast<Element>(random() & 0xFFU));
    }
  }
  return elements;
}

}  // namespace vettore::simd
