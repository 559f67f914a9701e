// Random points, filters and indexed fields, judged by Matches over all points.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "payload/point_table.h"

namespace vettore {
namespace {

constexpr uint64_t kIds = 400;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_() % bound; }

  std::vector<PayloadIndexConfig> Configs() {
    std::vector<PayloadIndexConfig> configs;
    for (const char* field : kFields) {
      if (Below(3) == 0) continue;
      configs.push_back({field, static_cast<PayloadIndexKind>(Below(4))});
    }
    return configs;
  }

  Json Payload() {
    Json payload = Json::object();
    for (const char* key : {"a", "b", "n.x"}) {
      if (Below(4) != 0) payload[key] = Value();
    }
    if (Below(2) == 0)
      payload["n"] = Below(4) == 0 ? Value() : Json{{"x", Value()}, {"y", Value()}};
    return payload;
  }

  Filter Condition() {
    const std::string field = kFields[Below(std::size(kFields))];
    switch (Below(5)) {
      case 0:
        return {FieldEquals{field, AnyScalar()}};
      case 1: {
        FieldAnyOf node{field, {}};
        for (uint64_t i = Below(25); i > 0; --i) node.values.push_back(AnyScalar());
        return {node};
      }
      case 2:
        return {FieldExists{field}};
      case 3: {
        HasId node;
        for (uint64_t i = Below(30); i > 0; --i) node.ids.emplace_back(Below(kIds + 50));
        return {node};
      }
      default: {
        FieldRange node{field, {}, {}, {}, {}};
        (Below(2) == 0 ? node.gt : node.gte) = Bound();
        if (Below(2) == 0) (Below(2) == 0 ? node.lt : node.lte) = Bound();
        return {node};
      }
    }
  }

  Filter Tree(int depth) {
    if (depth == 0 || Below(3) == 0) return Condition();
    std::vector<Filter> operands;
    const uint64_t kind = Below(3);
    if (kind == 2) {
      operands.push_back(Tree(depth - 1));
      return {FilterNot{std::move(operands)}};
    }
    for (uint64_t i = Below(4); i > 0; --i) operands.push_back(Tree(depth - 1));
    if (kind == 0) return {FilterAnd{std::move(operands)}};
    return {FilterOr{std::move(operands)}};
  }

 private:
  static constexpr const char* kFields[] = {"a", "b", "n.x", "n.y", "n", "absent"};

  // From a small domain, so that values meet: doubles next to integers, 53 bits and more.
  Json Number() {
    const int64_t small = static_cast<int64_t>(Below(7)) - 3;
    switch (Below(6)) {
      case 0:
        return static_cast<double>(small);
      case 1:
        return static_cast<double>(small) + 0.5;
      case 2:
        return (int64_t{1} << 53) + small;
      case 3:
        return 0x1p53 + 2.0 * static_cast<double>(small);
      default:
        return small;
    }
  }
  Json Value() {
    switch (Below(10)) {
      case 0:
        return nullptr;
      case 1:
        return Below(2) == 0;
      case 2:
      case 3:
        return StrCat("v", Below(5));
      case 4: {
        Json array = Json::array();
        for (uint64_t i = Below(4); i > 0; --i) array.push_back(Value());
        return array;
      }
      case 5:
        return Json{{"x", Number()}};
      default:
        return Number();
    }
  }
  Scalar AnyScalar() {
    switch (Below(5)) {
      case 0:
        return Below(2) == 0;
      case 1:
        return StrCat("v", Below(6));
      default: {
        const Json number = Number();
        if (number.is_number_float()) return number.get<double>();
        return number.get<int64_t>();
      }
    }
  }
  double Bound() { return Number().get<double>(); }

  std::mt19937_64 random_;
};

TEST(RandomFilter, EvaluateIsExactWhateverIsIndexed) {
  const uint64_t first_seed = std::random_device()();
  size_t narrowed = 0;
  for (uint64_t seed = first_seed; seed < first_seed + 40; ++seed) {
    SCOPED_TRACE(StrCat("seed ", seed));
    Generator generate(seed);
    PointTable table(generate.Configs());
    for (int round = 0; round < 8; ++round) {
      for (int change = 0; change < 150; ++change) {
        const uint64_t id = generate.Below(kIds);
        if (generate.Below(4) == 0) {
          table.Delete(id);
        } else {
          table.Put(id, generate.Payload());
        }
      }
      for (int query = 0; query < 25; ++query) {
        const Filter filter = generate.Tree(4);
        const FilterResult result = table.Evaluate(filter).value();
        ASSERT_EQ(PointTable::SlotsOf(result.slots), table.Truth(filter));
        ASSERT_EQ(result.count, result.slots.Count());
        ASSERT_LE(result.payloads_read, table.size());
        if (result.payloads_read < table.size()) ++narrowed;
      }
    }
  }
  EXPECT_GT(narrowed, 2'000u) << "of 8,000 queries: the indexes must save reads";
}

}  // namespace
}  // namespace vettore
