#include "engine/test_database.h"

namespace vettore {

void TestDatabase::Open() {
  DatabaseOptions options;
  options.data_dir = path();
  options.clock = [this] { return absl::Now() + clock_offset; };
  auto opened = Database::Open(options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  database_ = *std::move(opened);
}

namespace {

// Closes and removes the shared database at the end of the program.
class SharedDatabaseEnvironment : public ::testing::Environment {
 public:
  void TearDown() override { database_.reset(); }
  Database& Get() {
    if (database_ == nullptr) database_ = std::make_unique<TestDatabase>();
    return **database_;
  }

 private:
  std::unique_ptr<TestDatabase> database_;
};

// gtest owns it.
auto* const shared_database = static_cast<SharedDatabaseEnvironment*>(
    ::testing::AddGlobalTestEnvironment(new SharedDatabaseEnvironment()));

}  // namespace

Database& SharedDatabase() { return shared_database->Get(); }

std::shared_ptr<Collection> CreateShared(const CollectionConfig& config) {
  static int created = 0;
  auto collection = SharedDatabase().Create(NameFor("shared-" + std::to_string(created++)), config);
  EXPECT_TRUE(collection.ok()) << collection.status();
  return *std::move(collection);
}

Name NameFor(std::string_view text) { return *Name::Parse(text, "collection"); }
PointId TextId(std::string_view text) { return *PointId::Parse(text); }

CollectionConfig OneVector(uint32_t dimension, Metric metric, const IndexConfig& index) {
  VectorConfig vector;
  vector.dimension = dimension;
  vector.metric = metric;
  vector.index = index;
  CollectionConfig config;
  config.vectors.push_back(vector);
  return config;
}

PointWrite MakePoint(const PointId& id, std::vector<float> vector, Json payload) {
  PointWrite point{.id = id, .vectors = {}, .payload = std::move(payload)};
  if (!vector.empty()) point.vectors.push_back({.name = "", .values = std::move(vector)});
  return point;
}

WriteRequest Upsert(std::vector<PointWrite> points) {
  WriteRequest request;
  request.upserts = std::move(points);
  request.durability = Durability::kBuffered;
  return request;
}

WriteRequest Delete(std::vector<PointId> ids) {
  WriteRequest request;
  request.deletes = std::move(ids);
  request.durability = Durability::kBuffered;
  return request;
}

WriteRequest DeleteWhere(Filter filter) {
  WriteRequest request;
  request.delete_filter = std::move(filter);
  request.durability = Durability::kBuffered;
  return request;
}

Filter Equals(std::string_view field, Scalar value) {
  return Where(FieldEquals{.field = std::string(field), .value = std::move(value)});
}

absl::StatusOr<WriteResult> Write(Collection& collection, WriteRequest request) {
  return collection.Write(std::move(request), CancelToken());
}

absl::StatusOr<SearchResult> Search(const Collection& collection, const SearchRequest& request) {
  return collection.Search(request, ReadOptions(), CancelToken());
}

absl::StatusOr<std::vector<std::optional<PointRead>>> Get(const Collection& collection,
                                                          std::vector<PointId> ids) {
  Selection everything;
  everything.vectors = true;
  return collection.Get(ids, everything, ReadOptions(), CancelToken());
}

absl::StatusOr<uint64_t> Count(const Collection& collection, const std::optional<Filter>& filter) {
  return collection.Count(filter, ReadOptions(), CancelToken());
}

absl::StatusOr<ScrollPage> Scroll(const Collection& collection, const ScrollRequest& request) {
  return collection.Scroll(request, ReadOptions(), CancelToken());
}

std::vector<PointId> IdsOf(const SearchResult& result) {
  std::vector<PointId> ids;
  for (const ScoredPoint& scored : result.points) ids.push_back(scored.point.id);
  return ids;
}

std::vector<PointId> IdsOf(const ScrollPage& page) {
  std::vector<PointId> ids;
  for (const PointRead& point : page.points) ids.push_back(point.id);
  return ids;
}

std::vector<PointId> Numbers(std::initializer_list<uint64_t> numbers) {
  std::vector<PointId> ids;
  for (const uint64_t number : numbers) ids.emplace_back(number);
  return ids;
}

}  // namespace vettore
