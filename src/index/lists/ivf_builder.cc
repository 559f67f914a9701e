// Training, assigning and splitting.
#include "index/lists/ivf_builder.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "base/status.h"
#include "simd/kernels.h"

namespace vettore {
namespace {

constexpr uint64_t kSeed = 20110101;
// Of the k-means: more points a list sharpen the centroids less than they cost.
constexpr size_t kSamplePerList = 64;
// Of the coder: 256 points a codeword of 4 bits, 64 of 8 bits.
constexpr size_t kCoderSample4 = 4'096;
constexpr size_t kCoderSample8 = 16'384;
constexpr size_t kGrain = 1024;
constexpr size_t kListGrain = 16;
// A split that leaves less than this share on one side does not pay.
constexpr size_t kSplitShare = 64;

std::vector<uint32_t> Iota(size_t count) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

// Which of the rows each list takes, in their order.
std::vector<std::vector<uint32_t>> GroupByList(std::span<const uint32_t> list_of, size_t nlist) {
  std::vector<std::vector<uint32_t>> groups(nlist);
  for (uint32_t i = 0; i < list_of.size(); ++i) groups[list_of[i]].push_back(i);
  return groups;
}

}  // namespace

std::vector<const float*> IvfBuilder::Sample(std::span<const Row> rows, size_t count) const {
  std::vector<Row> order(rows.begin(), rows.end());
  std::mt19937_64 random(kSeed);
  count = std::min(count, order.size());
  std::vector<const float*> points;
  points.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    std::swap(order[i], order[i + random() % (order.size() - i)]);
    points.push_back(rows_.vector(order[i]));
  }
  return points;
}

absl::StatusOr<IvfBuilder::Built> IvfBuilder::Build(std::span<const Row> rows, size_t nlist,
                                                    SharedLoop& loop) const {
  const std::vector<const float*> sample = Sample(rows, nlist * kSamplePerList);
  VETTORE_ASSIGN_OR_RETURN(Centroids trained,
                           TrainKMeans(sample, dim_, {.clusters = nlist, .seed = kSeed}, loop));
  auto table = std::make_shared<IvfTable>();
  table->SetCentroids(std::move(trained), vector_.metric);
  VETTORE_ASSIGN_OR_RETURN(IvfCoder coder, TrainCoder(sample, *table->centroids, loop));
  Built built;
  built.partition = {std::make_shared<const IvfCoder>(std::move(coder)), table};

  std::vector<AssignedRows> parts((rows.size() + kGrain - 1) / kGrain);
  VETTORE_RETURN_IF_ERROR(loop.Run({parts.size(), 1}, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t first = i * kGrain;
      parts[i] =
          Assign(built.partition, rows.subspan(first, std::min(kGrain, rows.size() - first)));
    }
  }));

  // The places of each list's rows: part, and number in the part.
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> places(nlist);
  for (uint32_t part = 0; part < parts.size(); ++part) {
    built.squared_residuals += parts[part].squared_residuals;
    for (uint32_t i = 0; i < parts[part].list_of.size(); ++i) {
      places[parts[part].list_of[i]].emplace_back(part, i);
    }
  }
  table->lists.resize(nlist);
  VETTORE_RETURN_IF_ERROR(loop.Run({nlist, kListGrain}, [&](size_t begin, size_t end) {
    for (size_t list = begin; list < end; ++list) {
      CodedRows coded(built.partition.coder->code_bytes());
      coded.Reserve(places[list].size());
      for (const auto& [part, i] : places[list]) coded.Append(parts[part].coded, i);
      table->lists[list] = std::make_shared<const IvfList>(ShapeOf(*built.partition.coder), coded,
                                                           Iota(coded.rows.size()));
    }
  }));
  return built;
}

absl::StatusOr<IvfCoder> IvfBuilder::TrainCoder(std::span<const float* const> sample,
                                                const Centroids& centroids,
                                                SharedLoop& loop) const {
  if (!IvfCoder::IsTrained(ivf_.encoding)) return IvfCoder::Train(vector_, ivf_, {}, loop);
  const size_t wanted = ivf_.encoding == IvfEncoding::kPq4 ? kCoderSample4 : kCoderSample8;
  const auto points = sample.first(std::min(sample.size(), wanted));
  std::vector<float> residuals(points.size() * dim_);
  VETTORE_RETURN_IF_ERROR(loop.Run({points.size(), kGrain}, [&](size_t begin, size_t end) {
    std::vector<uint32_t> nearest(end - begin);
    AssignToNearest(centroids, points.subspan(begin, end - begin), {}, nearest);
    for (size_t i = begin; i < end; ++i) {
      const float* const centroid = centroids.row(nearest[i - begin]);
      for (size_t j = 0; j < dim_; ++j) residuals[i * dim_ + j] = points[i][j] - centroid[j];
    }
  }));
  return IvfCoder::Train(vector_, ivf_, residuals, loop);
}

AssignedRows IvfBuilder::Assign(const IvfPartition& partition, std::span<const Row> rows) const {
  const simd::Kernels& kernels = simd::Active();
  const Centroids& centroids = *partition.table->centroids;
  std::vector<const float*> points;
  points.reserve(rows.size());
  for (const Row row : rows) points.push_back(rows_.vector(row));
  AssignedRows assigned;
  assigned.list_of.resize(rows.size());
  AssignToNearest(centroids, points, {}, assigned.list_of);
  assigned.coded = CodedRows(partition.coder->code_bytes());
  assigned.coded.Reserve(rows.size());
  std::vector<IvfCoder::Placed> placed;
  placed.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const float* const centroid = centroids.row(assigned.list_of[i]);
    assigned.squared_residuals += kernels.l2_squared(points[i], centroid, dim_);
    placed.push_back({rows[i], points[i], centroid});
  }
  partition.coder->Encode(placed, assigned.coded);
  return assigned;
}

std::shared_ptr<const IvfTable> IvfBuilder::Append(const IvfTable& table,
                                                   const AssignedRows& rows) {
  auto longer = std::make_shared<IvfTable>(table);
  std::vector<uint32_t> order = Iota(rows.list_of.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return rows.list_of[a] < rows.list_of[b]; });
  for (size_t begin = 0; begin < order.size();) {
    const uint32_t list = rows.list_of[order[begin]];
    size_t end = begin + 1;
    while (end < order.size() && rows.list_of[order[end]] == list) ++end;
    longer->lists[list] =
        longer->lists[list]->With(rows.coded, std::span(order).subspan(begin, end - begin));
    begin = end;
  }
  return longer;
}

IvfBuilder::Rewritten IvfBuilder::Rewrite(const IvfRoster::Due& due) const {
  const IvfTable& table = *due.partition.table;
  const IvfList& list = *table.lists[due.list];
  Rewritten rewritten;
  CodedRows kept(due.partition.coder->code_bytes());
  for (size_t i = 0; i < list.size(); ++i) {
    if (rows_.IsAlive(list.row(i))) {
      list.CopyTo(kept, i);
    } else {
      rewritten.dropped.push_back(list.row(i));
    }
  }
  auto renewed = std::make_shared<IvfTable>(table);
  const bool is_split = due.is_split && Split(due, kept, *renewed);
  if (!is_split && rewritten.dropped.empty()) return {};
  if (!is_split) {
    renewed->lists[due.list] = std::make_shared<const IvfList>(ShapeOf(*due.partition.coder), kept,
                                                               Iota(kept.rows.size()));
  }
  rewritten.table = std::move(renewed);
  return rewritten;
}

// Two means of the rows become two lists, coded anew; false when one of them took nearly all.
bool IvfBuilder::Split(const IvfRoster::Due& due, const CodedRows& kept, IvfTable& table) const {
  std::vector<const float*> points;
  for (const Row row : kept.rows) points.push_back(rows_.vector(row));
  if (points.size() < 2) return false;
  SharedLoop alone;
  const absl::StatusOr<Centroids> halves =
      TrainKMeans(points, dim_, {.clusters = 2, .seed = kSeed + due.list}, alone);
  if (!halves.ok()) return false;
  std::vector<uint32_t> side(points.size());
  AssignToNearest(*halves, points, {}, side);
  const auto right = static_cast<size_t>(std::count(side.begin(), side.end(), 1U));
  if (std::min(right, points.size() - right) * kSplitShare < points.size()) return false;

  const Centroids& old = *table.centroids;
  std::vector<float> values;
  values.reserve((old.count() + 1) * dim_);
  for (size_t i = 0; i < old.count(); ++i) {
    const float* const row = i == due.list ? halves->row(0) : old.row(i);
    values.insert(values.end(), row, row + dim_);
  }
  values.insert(values.end(), halves->row(1), halves->row(1) + dim_);
  table.SetCentroids(Centroids(std::move(values), dim_), vector_.metric);

  CodedRows coded(kept.code_bytes);
  coded.Reserve(points.size());
  std::vector<IvfCoder::Placed> placed;
  for (size_t i = 0; i < points.size(); ++i) {
    placed.push_back({kept.rows[i], points[i], halves->row(side[i])});
  }
  due.partition.coder->Encode(placed, coded);
  const std::vector<std::vector<uint32_t>> groups = GroupByList(side, 2);
  const IvfListShape shape = ShapeOf(*due.partition.coder);
  table.lists[due.list] = std::make_shared<const IvfList>(shape, coded, groups[0]);
  table.lists.push_back(std::make_shared<const IvfList>(shape, coded, groups[1]));
  return true;
}

}  // namespace vettore
