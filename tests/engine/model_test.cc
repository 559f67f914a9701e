// Random operations on a collection, checked against a std::map that does the same the plain way.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/test_database.h"
#include "gmock/gmock.h"
#include "payload/payload_index.h"

namespace vettore {
namespace {

constexpr uint32_t kDimension = 6;

struct ModelPoint {
  uint64_t version = 0;
  Json payload;
  std::vector<float> vector;  // As stored; empty: none.
};

struct Parameters {
  IndexConfig index;
  Metric metric;
  std::string name;
};

// The double-precision score of a stored vector.
double Score(Metric metric, const std::vector<float>& query, const std::vector<float>& vector) {
  double dot = 0;
  double difference = 0;
  for (size_t i = 0; i < query.size(); ++i) {
    dot += double{query[i]} * vector[i];
    difference += (double{query[i]} - vector[i]) * (double{query[i]} - vector[i]);
  }
  return metric == Metric::kL2 ? std::sqrt(difference) : dot;
}

class ModelTest : public ::testing::TestWithParam<Parameters> {
 protected:
  ModelTest() {
    std::random_device device;
    seed_ = device();
    random_.seed(seed_);
    CollectionConfig config = OneVector(kDimension, GetParam().metric, GetParam().index);
    config.payload_indexes = {{.field = "color", .kind = PayloadIndexKind::kKeyword},
                              {.field = "size", .kind = PayloadIndexKind::kInteger}};
    collection_ = *database_->Create(NameFor("docs"), config);
  }

  uint64_t Random(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_);
  }

  // Few ids, so that updates and deletes hit.
  PointId RandomId() {
    const uint64_t number = Random(250);
    return number % 3 == 0 ? TextId("id-" + std::to_string(number)) : PointId(number);
  }

  // Few values, so that distances tie.
  std::vector<float> RandomVector() {
    std::vector<float> vector(kDimension);
    for (float& value : vector) value = static_cast<float>(Random(5)) - 2;
    vector[0] += 3;
    return vector;
  }

  Json RandomPayload() {
    static const std::vector<std::string> colors = {"red", "green", "blue"};
    Json payload = Json::object();
    if (Random(4) != 0) payload["color"] = colors[Random(3)];
    if (Random(4) != 0) payload["size"] = Random(10);
    if (Random(4) != 0) payload["weight"] = static_cast<double>(Random(10)) / 4;  // Not indexed.
    return payload;
  }

  Filter RandomFilter(int depth = 2) {
    switch (Random(depth > 0 ? 8 : 5)) {
      case 0:
        return Equals("color", std::string(Random(2) == 0 ? "red" : "blue"));
      case 1:
        return Where(FieldRange{.field = "size",
                                .gt = {},
                                .gte = static_cast<double>(Random(10)),
                                .lt = {},
                                .lte = {}});
      case 2:
        return Where(FieldRange{.field = "weight",
                                .gt = {},
                                .gte = {},
                                .lt = static_cast<double>(Random(10)) / 4 + 0.1,
                                .lte = {}});
      case 3:
        return Where(FieldExists{.field = "weight"});
      case 4:
        return Where(HasId{.ids = {RandomId(), RandomId(), RandomId()}});
      case 5:
        return Where(FilterNot{.operand = {RandomFilter(depth - 1)}});
      case 6:
        return Where(FilterAnd{.operands = {RandomFilter(depth - 1), RandomFilter(depth - 1)}});
      default:
        return Where(FilterOr{.operands = {RandomFilter(depth - 1), RandomFilter(depth - 1)}});
    }
  }

  bool IsMatch(const std::optional<Filter>& filter, const PointId& id, const ModelPoint& point) {
    return !filter || Matches(*filter, id, point.payload);
  }

  void WriteRandomly();
  void CheckCountAndGet();
  void CheckScroll();
  void CheckSearch();
  void Reopen();

  TestDatabase database_;
  std::shared_ptr<Collection> collection_;
  std::map<PointId, ModelPoint> model_;
  uint64_t seq_ = 0;
  uint32_t seed_ = 0;
  std::mt19937 random_;
};

void ModelTest::WriteRandomly() {
  WriteRequest request;
  request.durability = Durability::kBuffered;
  const uint64_t kind = Random(10);
  uint64_t deleted = 0;
  std::map<PointId, ModelPoint> next = model_;
  if (kind >= 8) {
    request.delete_filter = Where(FilterAnd{.operands = {RandomFilter(), RandomFilter()}});
    std::erase_if(next, [&](const auto& entry) {
      return IsMatch(request.delete_filter, entry.first, entry.second);
    });
  }
  for (uint64_t i = kind >= 5 ? Random(6) : 0; i > 0; --i) {
    request.deletes.push_back(RandomId());
    next.erase(request.deletes.back());
  }
  for (uint64_t i = kind < 8 ? 1 + Random(30) : Random(3); i > 0; --i) {
    const bool has_vector = Random(10) != 0;
    request.upserts.push_back(
        MakePoint(RandomId(), has_vector ? RandomVector() : std::vector<float>(), RandomPayload()));
    const PointWrite& point = request.upserts.back();
    ModelPoint& stored = next[point.id];
    stored.version = seq_ + 1;
    stored.payload = point.payload;
    stored.vector = has_vector ? point.vectors[0].values : std::vector<float>();
    if (GetParam().metric == Metric::kCosine && has_vector) {
      double length = 0;
      for (const float value : stored.vector) length += double{value} * value;
      for (float& value : stored.vector) value = static_cast<float>(value / std::sqrt(length));
    }
  }
  for (const auto& [id, point] : model_) deleted += next.contains(id) ? 0 : 1;
  const auto written = Write(*collection_, request);
  if (request.deletes.empty() && request.upserts.empty() && !request.delete_filter) {
    ASSERT_FALSE(written.ok());
    return;
  }
  ASSERT_TRUE(written.ok()) << written.status();
  ASSERT_EQ(written->position.seq, ++seq_);
  ASSERT_EQ(written->deleted, deleted);
  model_ = std::move(next);
}

void ModelTest::CheckCountAndGet() {
  ASSERT_EQ(*Count(*collection_), model_.size());
  const Filter filter = RandomFilter();
  ASSERT_EQ(*Count(*collection_, filter), static_cast<uint64_t>(std::count_if(
                                              model_.begin(), model_.end(), [&](const auto& entry) {
                                                return IsMatch(filter, entry.first, entry.second);
                                              })));
  const std::vector<PointId> ids = {RandomId(), RandomId(), RandomId()};
  const auto read = Get(*collection_, ids);
  ASSERT_TRUE(read.ok()) << read.status();
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto expected = model_.find(ids[i]);
    ASSERT_EQ((*read)[i].has_value(), expected != model_.end());
    if (expected == model_.end()) continue;
    ASSERT_EQ((*read)[i]->id, ids[i]);
    ASSERT_EQ((*read)[i]->version, expected->second.version);
    ASSERT_EQ((*read)[i]->payload, expected->second.payload);
    ASSERT_EQ((*read)[i]->vectors.empty(), expected->second.vector.empty());
    if (!expected->second.vector.empty()) {
      ASSERT_THAT((*read)[i]->vectors[0].values,
                  ::testing::Pointwise(::testing::FloatNear(1e-6F), expected->second.vector));
    }
  }
}

void ModelTest::CheckScroll() {
  ScrollRequest request;
  request.limit = 1 + Random(60);
  if (Random(2) == 0) request.filter = RandomFilter();
  if (Random(2) == 0) request.from = RandomId();
  std::vector<PointId> expected;
  for (const auto& [id, point] : model_) {
    if ((!request.from || id >= *request.from) && IsMatch(request.filter, id, point)) {
      expected.push_back(id);
    }
  }
  std::vector<PointId> scrolled;
  while (true) {
    const auto page = Scroll(*collection_, request);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_LE(page->points.size(), request.limit);
    for (const PointRead& point : page->points) {
      scrolled.push_back(point.id);
      ASSERT_EQ(point.payload, model_.at(point.id).payload);
    }
    if (!page->next) break;
    ASSERT_EQ(page->points.size(), request.limit);
    request.from = page->next;
  }
  ASSERT_EQ(scrolled, expected);
}

void ModelTest::CheckSearch() {
  SearchRequest request;
  request.query = RandomVector();
  request.k = 1 + Random(20);
  request.offset = Random(3) == 0 ? Random(10) : 0;
  request.exact = Random(2) == 0;
  if (Random(3) != 0) request.filter = RandomFilter();
  const auto result = Search(*collection_, request);
  ASSERT_TRUE(result.ok()) << result.status();

  std::vector<float> query = request.query;
  if (GetParam().metric == Metric::kCosine) {
    double length = 0;
    for (const float value : query) length += double{value} * value;
    for (float& value : query) value = static_cast<float>(value / std::sqrt(length));
  }
  const bool smaller_is_closer = GetParam().metric == Metric::kL2;
  std::vector<std::pair<double, PointId>> ranking;  // By sign-corrected score.
  for (const auto& [id, point] : model_) {
    if (point.vector.empty() || !IsMatch(request.filter, id, point)) continue;
    const double score = Score(GetParam().metric, query, point.vector);
    ranking.emplace_back(smaller_is_closer ? score : -score, id);
  }
  std::sort(ranking.begin(), ranking.end());

  const size_t available = ranking.size() - std::min<size_t>(ranking.size(), request.offset);
  ASSERT_EQ(result->points.size(), std::min<size_t>(request.k, available));
  for (size_t i = 0; i < result->points.size(); ++i) {
    const ScoredPoint& got = result->points[i];
    const auto expected = model_.find(got.point.id);
    ASSERT_NE(expected, model_.end());
    ASSERT_TRUE(IsMatch(request.filter, expected->first, expected->second));
    ASSERT_EQ(got.point.payload, expected->second.payload);
    ASSERT_NEAR(got.score, Score(GetParam().metric, query, expected->second.vector), 1e-4);
    // At this size a graph with the default ef finds the true neighbours too.
    const double wanted = ranking[request.offset + i].first;
    ASSERT_NEAR(got.score, smaller_is_closer ? wanted : -wanted, 1e-4) << "place " << i;
    if (i == 0 || got.score != result->points[i - 1].score) continue;
    ASSERT_LT(result->points[i - 1].point.id, got.point.id);
  }
  // Where scores are exact in floats, ids must agree too.
  if (GetParam().metric == Metric::kCosine) return;
  for (size_t i = 0; i < result->points.size(); ++i) {
    ASSERT_EQ(result->points[i].point.id, ranking[request.offset + i].second) << "place " << i;
  }
}

void ModelTest::Reopen() {
  collection_.reset();
  database_.Reopen();
  collection_ = *database_->Get(NameFor("docs"));
  ASSERT_EQ(collection_->Status().position.seq, seq_);
}

TEST_P(ModelTest, CollectionDoesWhatAMapDoes) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  RecordProperty("seed", std::to_string(seed_));
  for (int step = 0; step < 600 && !HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    WriteRandomly();
    if (HasFatalFailure()) return;
    CheckCountAndGet();
    if (HasFatalFailure()) return;
    if (step % 3 == 0) CheckScroll();
    if (HasFatalFailure()) return;
    for (int i = 0; i < 3; ++i) {
      CheckSearch();
      if (HasFatalFailure()) return;
    }
    if (step % 150 == 149) Reopen();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Indexes, ModelTest,
                         ::testing::Values(Parameters{FlatConfig{}, Metric::kL2, "FlatL2"},
                                           Parameters{FlatConfig{}, Metric::kCosine, "FlatCosine"},
                                           Parameters{HnswConfig{}, Metric::kL2, "HnswL2"},
                                           Parameters{HnswConfig{}, Metric::kInnerProduct,
                                                      "HnswInnerProduct"},
                                           Parameters{HnswConfig{}, Metric::kCosine, "HnswCosine"}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace vettore
