// Training of product quantization: a k-means in each sub-space.
#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "base/status.h"
#include "index/codes/product_quantizer.h"

namespace vettore {
namespace {

constexpr int kIterations = 16;
constexpr int kRefinements = 2;

}  // namespace

// The k-means of one sub-space. Externally synchronised.
class PartTraining {
 public:
  // sample: (count, dim). quantizer: whose codewords of sub-space s it makes; must outlive it.
  PartTraining(std::span<const float> sample, size_t s, ProductQuantizer& quantizer)
      : ksub_(quantizer.shape().ksub),
        width_(quantizer.dsub()),
        count_(sample.size() / quantizer.shape().dim),
        points_(count_ * width_),
        values_(quantizer.values_.data() + s * width_ * ksub_),
        half_norms_(quantizer.half_norms_.data() + s * ksub_) {
    for (size_t i = 0; i < count_; ++i) {
      std::copy_n(sample.data() + i * quantizer.shape().dim + s * width_, width_,
                  points_.data() + i * width_);
    }
  }

  // Codewords at some of the points, as Arthur & Vassilvitskii (2007), "k-means++": each next start
  // is chosen with a probability that grows with its squared distance from the nearest before it.
  void Start(std::mt19937_64& random) {
    std::vector<size_t> starts = {random() % count_};
    std::vector<float> nearest(count_, std::numeric_limits<float>::infinity());
    while (starts.size() < ksub_) {
      const double total = Approach(point(starts.back()), nearest);
      // 53 random bits as a share of the total.
      double left = static_cast<double>(random() >> 11) * 0x1p-53 * total;
      size_t chosen = 0;
      while (chosen + 1 < count_ && left >= nearest[chosen]) left -= nearest[chosen++];
      starts.push_back(chosen);
    }
    Sums sums(ksub_, width_);
    for (size_t c = 0; c < ksub_; ++c) sums.Add(c, point(starts[c]));
    SetWords(sums);
  }

  // Each codeword to the mean of the points that are nearest to it. An unused one becomes a point
  // at random: mostly one of a large cell.
  void Move(std::mt19937_64& random) {
    Sums sums(ksub_, width_);
    for (size_t i = 0; i < count_; ++i) {
      uint8_t code = 0;
      kernels_.encode({values_, half_norms_, 1, width_, ksub_}, point(i), &code);
      sums.Add(code, point(i));
    }
    for (size_t c = 0; c < ksub_; ++c) {
      if (sums.counts[c] == 0) sums.Add(c, point(random() % count_));
    }
    SetWords(sums);
  }

 private:
  // Of the points of each codeword: (ksub, width) and (ksub).
  struct Sums {
    Sums(size_t words, size_t dims) : values(words * dims), counts(words), width(dims) {}
    void Add(size_t c, const float* point) {
      for (size_t d = 0; d < width; ++d) values[c * width + d] += point[d];
      ++counts[c];
    }

    std::vector<double> values;
    std::vector<size_t> counts;
    size_t width;
  };

  const float* point(size_t i) const { return points_.data() + i * width_; }

  // nearest: by point, the squared distance from its nearest start; returns their sum, with another
  // start.
  double Approach(const float* start, std::vector<float>& nearest) const {
    double total = 0;
    for (size_t i = 0; i < count_; ++i) {
      float distance = 0;
      for (size_t d = 0; d < width_; ++d) {
        const float difference = point(i)[d] - start[d];
        distance += difference * difference;
      }
      nearest[i] = std::min(nearest[i], distance);
      total += nearest[i];
    }
    return total;
  }

  void SetWords(const Sums& sums) {
    for (size_t c = 0; c < ksub_; ++c) {
      double norm = 0;
      for (size_t d = 0; d < width_; ++d) {
        const auto value =
            static_cast<float>(sums.values[c * width_ + d] / static_cast<double>(sums.counts[c]));
        values_[d * ksub_ + c] = value;
        norm += static_cast<double>(value) * value;
      }
      half_norms_[c] = static_cast<float>(norm / 2);
    }
  }

  const simd::PqKernels& kernels_ = simd::ActivePq();
  const size_t ksub_;
  const size_t width_;
  const size_t count_;
  std::vector<float> points_;  // (count, width)
  float* const values_;        // (width, ksub)
  float* const half_norms_;    // (ksub)
};

absl::StatusOr<ProductQuantizer> ProductQuantizer::Train(const Shape& shape,
                                                         std::span<const float> sample,
                                                         uint64_t seed, SharedLoop& loop) {
  ProductQuantizer quantizer(shape);
  VETTORE_RETURN_IF_ERROR(loop.Run({shape.m, 1}, [&](size_t begin, size_t end) {
    for (size_t s = begin; s < end; ++s) {
      std::mt19937_64 random(seed + s);
      PartTraining part(sample, s, quantizer);
      part.Start(random);
      for (int i = 0; i < kIterations; ++i) part.Move(random);
    }
  }));
  return quantizer;
}

absl::StatusOr<ProductQuantizer> ProductQuantizer::Refined(std::span<const float> sample,
                                                           uint64_t seed, SharedLoop& loop) const {
  ProductQuantizer refined(*this);
  VETTORE_RETURN_IF_ERROR(loop.Run({shape_.m, 1}, [&](size_t begin, size_t end) {
    for (size_t s = begin; s < end; ++s) {
      std::mt19937_64 random(seed + s);
      PartTraining part(sample, s, refined);
      for (int i = 0; i < kRefinements; ++i) part.Move(random);
    }
  }));
  return refined;
}

}  // namespace vettore
