#include "embed/self_attention.h"

#include <algorithm>
#include <cmath>

namespace vettore {

SelfAttention::SelfAttention(size_t hidden, size_t heads, size_t longest)
    : kernels_(simd::ActiveMatrixKernels()),
      math_(ActiveVectorMath()),
      hidden_(hidden),
      head_size_(hidden / heads),
      keys_(head_size_ * kernels_.padded_columns(longest)),
      values_(longest * kernels_.padded_columns(head_size_)),
      scores_(std::min(longest, kQueries) * longest) {}

void SelfAttention::Attend(size_t length, const float* query_key_value, float* context) {
  for (size_t head = 0; head < hidden_; head += head_size_) {
    AttendHead(length, query_key_value + head, context + head);
  }
}

void SelfAttention::AttendHead(size_t length, const float* query, float* context) {
  const size_t stride = 3 * hidden_;
  const float* const key = query + hidden_;
  const float* const value = key + hidden_;
  kernels_.pack({.values = key,
                 .depth_stride = 1,
                 .column_stride = stride,
                 .depth = head_size_,
                 .columns = length},
                keys_.data());
  kernels_.pack({.values = value,
                 .depth_stride = stride,
                 .column_stride = 1,
                 .depth = length,
                 .columns = head_size_},
                values_.data());
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size_));
  for (size_t first = 0; first < length; first += kQueries) {
    const size_t queries = std::min(kQueries, length - first);
    kernels_.multiply({.left = query + first * stride,
                       .left_stride = stride,
                       .rows = queries,
                       .packed = keys_.data(),
                       .depth = head_size_,
                       .columns = length,
                       .bias = nullptr,
                       .out = scores_.data(),
                       .out_stride = length});
    for (size_t i = 0; i < queries; ++i) math_.softmax(scale, length, &scores_[i * length]);
    kernels_.multiply({.left = scores_.data(),
                       .left_stride = length,
                       .rows = queries,
                       .packed = values_.data(),
                       .depth = length,
                       .columns = head_size_,
                       .bias = nullptr,
                       .out = context + first * hidden_,
                       .out_stride = hidden_});
  }
}

}  // namespace vettore
