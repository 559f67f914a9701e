// The distance of a metric over the active kernels: smaller is closer.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "simd/kernels.h"
#include "types/metric.h"

namespace vettore {

// Squared L2, or the negated inner product. What overflowed to "not a number" counts as infinitely
// far, so that orders stay total. Immutable.
class VectorDistance {
 public:
  VectorDistance(Metric metric, size_t dim) : metric_(metric), dim_(dim) {
    const simd::Kernels& kernels = simd::Active();
    switch (metric) {
      case Metric::kL2:
        one_ = kernels.l2_squared;
        four_ = kernels.l2_squared_to_4;
        sign_ = 1;
        break;
      case Metric::kInnerProduct:
      case Metric::kCosine:
        one_ = kernels.inner_product;
        four_ = kernels.inner_product_to_4;
        sign_ = -1;
        break;
    }
  }

  Metric metric() const { return metric_; }
  size_t dim() const { return dim_; }

  // a, b: (dim).
  float operator()(const float* a, const float* b) const { return Signed(one_(a, b, dim_)); }

  // query: (dim); rows: four pointers to (dim); out: (4).
  void To4(const float* query, const float* const rows[4], float out[4]) const {
    four_(query, rows, dim_, out);
    for (int i = 0; i < 4; ++i) out[i] = Signed(out[i]);
  }

 private:
  float Signed(float value) const {
    return std::isnan(value) ? std::numeric_limits<float>::infinity() : sign_ * value;
  }

  Metric metric_;
  size_t dim_;
  simd::DistanceFn one_ = nullptr;
  simd::DistanceTo4Fn four_ = nullptr;
  float sign_ = 1;
};

}  // namespace vettore
