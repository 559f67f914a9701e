#include "bench/comparison.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <span>
#include <utility>

#include "base/status.h"
#include "bench/measure.h"
#include "bench/recall_curve.h"

namespace vettore::bench {
namespace {

// Of the process: memory that no file backs.
size_t AnonymousBytes() {
  malloc_trim(0);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    size_t kibibytes = 0;
    if (word == "RssAnon:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

// One system at one ef.
struct Point {
  uint32_t ef = 0;
  double recall = 0;
  std::vector<double> qps, wall_qps, p50_us, p99_us;  // By repeat.
};

struct Curve {
  Contender& contender;
  std::vector<Point> points;  // Ascending in ef.
};

class Comparison {
 public:
  Comparison(const Match& match, const ComparisonOptions& options)
      : match_(match), options_(options) {}

  absl::Status FindPoints(Curve& curve) const {
    const RecallOfFn recall_of = [&](uint32_t ef) -> absl::StatusOr<double> {
      VETTORE_ASSIGN_OR_RETURN(const Pass pass, RunAt(curve, ef));
      return RecallAtK({.base = match_.data.base,
                        .queries = match_.queries,
                        .metric = match_.data.metric,
                        .truth = match_.truth,
                        .k = options_.k},
                       pass.found);
    };
    const EfRange range{.least = static_cast<uint32_t>(options_.k), .most = options_.most_ef};
    VETTORE_ASSIGN_OR_RETURN(const std::vector<uint32_t> efs,
                             BracketingEfs(recall_of, range, options_.targets));
    for (const uint32_t ef : efs) {
      curve.points.push_back(
          {.ef = ef, .recall = 0, .qps = {}, .wall_qps = {}, .p50_us = {}, .p99_us = {}});
      VETTORE_ASSIGN_OR_RETURN(curve.points.back().recall, recall_of(ef));
    }
    return absl::OkStatus();
  }

  // One timed pass of the curve's point `i`, where it has so many.
  absl::Status Time(Curve& curve, size_t i) const {
    if (i >= curve.points.size()) return absl::OkStatus();
    Point& point = curve.points[i];
    VETTORE_ASSIGN_OR_RETURN(const Pass pass, RunAt(curve, point.ef));
    const auto count = static_cast<double>(match_.queries.count);
    point.qps.push_back(count / pass.cpu_s);
    point.wall_qps.push_back(count / pass.wall_s);
    point.p50_us.push_back(Quantile(pass.latencies_us, 0.5));
    point.p99_us.push_back(Quantile(pass.latencies_us, 0.99));
    return absl::OkStatus();
  }

  Json Describe(const Curve& curve, const Point& point) const {
    const Contender& contender = curve.contender;
    const Spread qps = SpreadOf(point.qps);
    Json line = Head("ann-peers");
    line["system"] = contender.system->name();
    line["parameters"] = {{"ef_search", point.ef}};
    line["recall"] = point.recall;
    line["qps"] = qps.median;
    line["qps_min"] = qps.min;
    line["qps_max"] = qps.max;
    line["wall_qps"] = SpreadOf(point.wall_qps).median;
    line["p50_us"] = SpreadOf(point.p50_us).median;
    line["p99_us"] = SpreadOf(point.p99_us).median;
    line["threads"] = 1;
    line["build_s"] = contender.build_wall_s;
    line["build_cpu_s"] = contender.build_cpu_s;
    line["ram_bytes_per_vector"] = contender.ram_bytes_per_vector;
    line["rss_bytes_per_vector"] = contender.rss_bytes_per_vector;
    return line;
  }

  // The figures of `ours` over those of `peer` at one recall; a figure is null where a system does
  // not reach it.
  Json DescribeRatio(const Curve& ours, const Curve& peer, double target) const {
    std::vector<double> qps, p99;
    std::array<std::vector<double>, 2> each_qps, each_p99;
    for (size_t repeat = 0; repeat < static_cast<size_t>(options_.repeats); ++repeat) {
      const std::optional<CurvePoint> a = AtRecall(PointsOf(ours, repeat), target);
      const std::optional<CurvePoint> b = AtRecall(PointsOf(peer, repeat), target);
      if (a) each_qps[0].push_back(a->qps), each_p99[0].push_back(a->p99_us);
      if (b) each_qps[1].push_back(b->qps), each_p99[1].push_back(b->p99_us);
      if (!a || !b) continue;
      qps.push_back(a->qps / b->qps);
      p99.push_back(a->p99_us / b->p99_us);
    }
    Json line = Head("ann-ratio");
    line["system"] = ours.contender.system->name();
    line["peer"] = peer.contender.system->name();
    line["recall"] = target;
    line["qps"] = MedianOf(each_qps[0]);
    line["peer_qps"] = MedianOf(each_qps[1]);
    line["qps_ratio"] = MedianOf(qps);
    line["qps_ratio_min"] = qps.empty() ? Json() : Json(SpreadOf(qps).min);
    line["qps_ratio_max"] = qps.empty() ? Json() : Json(SpreadOf(qps).max);
    line["p99_us"] = MedianOf(each_p99[0]);
    line["peer_p99_us"] = MedianOf(each_p99[1]);
    line["p99_ratio"] = MedianOf(p99);
    line["build_speedup"] = peer.contender.build_cpu_s / ours.contender.build_cpu_s;
    line["ram_ratio"] = static_cast<double>(ours.contender.ram_bytes_per_vector) /
                        static_cast<double>(peer.contender.ram_bytes_per_vector);
    return line;
  }

 private:
  absl::StatusOr<Pass> RunAt(const Curve& curve, uint32_t ef) const {
    return RunPass({.queries = match_.queries.count, .k = options_.k, .batch = options_.batch},
                   [&](size_t first, std::span<std::vector<int32_t>> rows) {
                     return curve.contender.system->Search({.queries = match_.queries,
                                                            .first = first,
                                                            .k = options_.k,
                                                            .ef = ef,
                                                            .filter = match_.filter},
                                                           rows);
                   });
  }
  Json Head(const char* suite) const {
    return {{"suite", suite},
            {"data", match_.data.name},
            {"queries", match_.queries_name},
            {"filter", match_.filter == nullptr ? 1.0 : match_.filter->share},
            {"k", options_.k},
            {"batch", options_.batch},
            {"repeats", options_.repeats}};
  }
  static std::vector<CurvePoint> PointsOf(const Curve& curve, size_t repeat) {
    std::vector<CurvePoint> points;
    for (const Point& point : curve.points) {
      points.push_back(
          {.recall = point.recall, .qps = point.qps[repeat], .p99_us = point.p99_us[repeat]});
    }
    return points;
  }
  static Json MedianOf(const std::vector<double>& values) {
    return values.empty() ? Json() : Json(SpreadOf(values).median);
  }

  const Match& match_;
  const ComparisonOptions& options_;
};

}  // namespace

absl::StatusOr<Contender> BuildContender(std::unique_ptr<PeerSystem> system,
                                         const Matrix<float>& base, int threads) {
  Contender contender{.system = std::move(system)};
  const size_t bytes_before = AnonymousBytes();
  const double cpu_before = ProcessCpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  VETTORE_RETURN_IF_ERROR(contender.system->Build(base, threads));
  contender.build_wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  contender.build_cpu_s = ProcessCpuSeconds() - cpu_before;
  const size_t grown = std::max(AnonymousBytes(), bytes_before) - bytes_before;
  contender.rss_bytes_per_vector = grown / base.count;
  contender.ram_bytes_per_vector = contender.system->memory_bytes() / base.count;
  return contender;
}

absl::Status Compare(Contender& ours, Contender& peer, const Match& match,
                     const ComparisonOptions& options, const std::function<void(Json)>& emit) {
  const PinnedThread pinned;
  const Comparison comparison(match, options);
  std::array<Curve, 2> curves = {Curve{ours, {}}, Curve{peer, {}}};
  for (Curve& curve : curves) VETTORE_RETURN_IF_ERROR(comparison.FindPoints(curve));
  const size_t most = std::max(curves[0].points.size(), curves[1].points.size());
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    for (size_t i = 0; i < most; ++i) {
      for (Curve& curve : curves) VETTORE_RETURN_IF_ERROR(comparison.Time(curve, i));
    }
  }
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) emit(comparison.Describe(curve, point));
  }
  for (const double target : options.targets) {
    emit(comparison.DescribeRatio(curves[0], curves[1], target));
  }
  return absl::OkStatus();
}

}  // namespace vettore::bench
