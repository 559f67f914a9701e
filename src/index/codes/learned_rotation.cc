// Learning a rotation and applying it.
#include "index/codes/learned_rotation.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status.h"
#include "simd/kernels.h"

// Of LAPACK, which OpenBLAS holds and has no header for here. Matrices are column after column.
extern "C" {
void ssyevd_(const char* jobs, const char* half, const int* n, float* a, const int* lda, float* w,
             float* work, const int* lwork, int* iwork, const int* liwork, int* info);
void sgesdd_(const char* jobs, const int* m, const int* n, float* a, const int* lda, float* s,
             float* u, const int* ldu, float* vt, const int* ldvt, float* work, const int* lwork,
             int* iwork, int* info);
}

namespace vettore {
namespace {

constexpr int kTurns = 12;
constexpr size_t kGrain = 512;
// Rows of the matrix that all values meet before the next: they stay in a cache.
constexpr size_t kTileBytes = size_t{96} << 10;

bool IsFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

// Of a workspace, which LAPACK gives as a float that may have been rounded down.
int SizeOf(float wanted) {
  return static_cast<int>(std::nextafter(wanted, std::numeric_limits<float>::infinity()));
}

// Eigenvalues ascending in `values` (dim), their vectors in the rows of `matrix` (dim, dim), which
// is symmetric; false when it does not succeed.
bool DecomposeSymmetric(size_t dim, std::vector<float>& matrix, std::vector<float>& values) {
  const int n = static_cast<int>(dim);
  const int query = -1;
  float work_size = 0;
  int iwork_size = 0;
  int info = 0;
  ssyevd_("V", "U", &n, matrix.data(), &n, values.data(), &work_size, &query, &iwork_size, &query,
          &info);
  const int lwork = SizeOf(work_size);
  std::vector<float> work(static_cast<size_t>(lwork));
  std::vector<int> iwork(static_cast<size_t>(iwork_size));
  ssyevd_("V", "U", &n, matrix.data(), &n, values.data(), work.data(), &lwork, iwork.data(),
          &iwork_size, &info);
  return info == 0;
}

// The orthogonal matrix nearest to `matrix` (dim, dim), in its place; false when that does not
// succeed.
bool MakeOrthogonal(size_t dim, std::vector<float>& matrix) {
  if (!IsFinite(matrix)) return false;
  const int n = static_cast<int>(dim);
  const int query = -1;
  float work_size = 0;
  int info = 0;
  std::vector<float> values(dim);
  std::vector<float> left(dim * dim);
  std::vector<float> right(dim * dim);
  std::vector<int> iwork(8 * dim);
  sgesdd_("A", &n, &n, matrix.data(), &n, values.data(), left.data(), &n, right.data(), &n,
          &work_size, &query, iwork.data(), &info);
  const int lwork = SizeOf(work_size);
  std::vector<float> work(static_cast<size_t>(lwork));
  sgesdd_("A", &n, &n, matrix.data(), &n, values.data(), left.data(), &n, right.data(), &n,
          work.data(), &lwork, iwork.data(), &info);
  if (info != 0) return false;
  cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, left.data(), n, right.data(),
              n, 0, matrix.data(), n);
  return IsFinite(matrix);
}

// out (dim, dim) = left^T right; both (count, dim) in rows.
void MultiplyTransposed(size_t dim, std::span<const float> left, std::span<const float> right,
                        std::vector<float>& out) {
  const auto n = static_cast<blasint>(dim);
  const auto count = static_cast<blasint>(left.size() / dim);
  out.resize(dim * dim);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, count, 1, left.data(), n, right.data(),
              n, 0, out.data(), n);
}

// For each dimension of what comes out the direction that it takes: those of the largest variances
// first, each to the sub-space with room whose variances multiply to least. variances: ascending.
std::vector<size_t> DealOut(const ProductQuantizer::Shape& shape,
                            std::span<const float> variances) {
  const size_t width = shape.dim / shape.m;
  const float least = std::max(variances.back(), 1e-30F) * 1e-6F;
  std::vector<double> logarithms(shape.m);
  std::vector<size_t> used(shape.m);
  std::vector<size_t> direction_of(shape.dim);
  for (size_t i = shape.dim; i-- > 0;) {
    size_t chosen = shape.m;
    for (size_t s = 0; s < shape.m; ++s) {
      if (used[s] == width) continue;
      if (chosen == shape.m || logarithms[s] < logarithms[chosen]) chosen = s;
    }
    direction_of[chosen * width + used[chosen]++] = i;
    // Relative to the least: a sub-space that took a direction is never behind one that took none.
    logarithms[chosen] += std::log(std::max(variances[i], least) / least) + 1e-3;
  }
  return direction_of;
}

}  // namespace

void LearnedRotation::Apply(std::span<const float> values, float* out) const {
  const simd::Kernels& kernels = simd::Active();
  const size_t count = values.size() / dim_;
  const size_t tile = std::max<size_t>(4, kTileBytes / (dim_ * sizeof(float)) / 4 * 4);
  for (size_t begin = 0; begin < dim_; begin += tile) {
    const size_t end = std::min(dim_, begin + tile);
    for (size_t i = 0; i < count; ++i) {
      const float* const from = values.data() + i * dim_;
      float* const to = out + i * dim_;
      size_t j = begin;
      for (; j + 4 <= end; j += 4) {
        const float* const rows[4] = {matrix_.data() + j * dim_, matrix_.data() + (j + 1) * dim_,
                                      matrix_.data() + (j + 2) * dim_,
                                      matrix_.data() + (j + 3) * dim_};
        kernels.inner_product_to_4(from, rows, dim_, to + j);
      }
      for (; j < end; ++j) to[j] = kernels.inner_product(from, matrix_.data() + j * dim_, dim_);
    }
  }
}

absl::Status LearnedRotation::Save(ChecksummedWriter& out) const {
  return out.WriteAll<float>(matrix_);
}

absl::StatusOr<LearnedRotation> LearnedRotation::Load(size_t dim, ChecksummedReader& in) {
  if (dim > in.remaining() / sizeof(float) / dim) {
    return absl::DataLossError("a rotation is longer than the file");
  }
  LearnedRotation rotation(dim);
  VETTORE_RETURN_IF_ERROR(in.ReadAll(std::span(rotation.matrix_)));
  return rotation;
}

// The state of one training. Externally synchronised.
class RotationTraining {
 public:
  RotationTraining(const ProductQuantizer::Shape& shape, std::span<const float> sample,
                   SharedLoop& loop)
      : shape_(shape),
        sample_(sample),
        loop_(loop),
        rotation_(shape.dim),
        rotated_(sample.size()) {}

  absl::StatusOr<RotatedQuantizer> Run(uint64_t seed) {
    Start();
    VETTORE_RETURN_IF_ERROR(Rotate());
    VETTORE_ASSIGN_OR_RETURN(ProductQuantizer quantizer,
                             ProductQuantizer::Train(shape_, rotated_, seed, loop_));
    std::vector<float> decoded(sample_.size());
    for (int turn = 0; turn < kTurns; ++turn) {
      VETTORE_RETURN_IF_ERROR(Reconstruct(quantizer, decoded));
      std::vector<float> matrix;
      MultiplyTransposed(shape_.dim, decoded, sample_, matrix);
      if (!MakeOrthogonal(shape_.dim, matrix)) break;
      rotation_.matrix_ = std::move(matrix);
      VETTORE_RETURN_IF_ERROR(Rotate());
      VETTORE_ASSIGN_OR_RETURN(
          quantizer, quantizer.Refined(rotated_, seed + static_cast<uint64_t>(turn), loop_));
    }
    return RotatedQuantizer{std::move(rotation_), std::move(quantizer)};
  }

 private:
  // The principal directions; where they cannot be had, the dimensions as they are.
  void Start() {
    const size_t dim = shape_.dim;
    std::vector<float> directions;
    std::vector<float> variances(dim);
    MultiplyTransposed(dim, sample_, sample_, directions);
    if (!IsFinite(directions) || !DecomposeSymmetric(dim, directions, variances)) {
      for (size_t i = 0; i < dim; ++i) rotation_.matrix_[i * dim + i] = 1;
      return;
    }
    const std::vector<size_t> direction_of = DealOut(shape_, variances);
    for (size_t i = 0; i < dim; ++i) {
      std::copy_n(directions.data() + direction_of[i] * dim, dim,
                  rotation_.matrix_.data() + i * dim);
    }
  }

  absl::Status Rotate() {
    const size_t dim = shape_.dim;
    return loop_.Run({sample_.size() / dim, kGrain}, [&](size_t begin, size_t end) {
      rotation_.Apply(sample_.subspan(begin * dim, (end - begin) * dim),
                      rotated_.data() + begin * dim);
    });
  }

  // What the codes of the rotated sample stand for.
  absl::Status Reconstruct(const ProductQuantizer& quantizer, std::vector<float>& decoded) {
    const size_t dim = shape_.dim;
    return loop_.Run({sample_.size() / dim, kGrain}, [&](size_t begin, size_t end) {
      std::vector<uint8_t> code(quantizer.code_bytes());
      for (size_t i = begin; i < end; ++i) {
        quantizer.Encode(rotated_.data() + i * dim, code.data());
        quantizer.Decode(code.data(), decoded.data() + i * dim);
      }
    });
  }

  const ProductQuantizer::Shape shape_;
  const std::span<const float> sample_;
  SharedLoop& loop_;
  LearnedRotation rotation_;
  std::vector<float> rotated_;  // The sample.
};

absl::StatusOr<RotatedQuantizer> TrainRotatedQuantizer(const ProductQuantizer::Shape& shape,
                                                       std::span<const float> sample, uint64_t seed,
                                                       SharedLoop& loop) {
  return RotationTraining(shape, sample, loop).Run(seed);
}

}  // namespace vettore
