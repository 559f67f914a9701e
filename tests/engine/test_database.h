// A database in a directory of its own, and short ways to say requests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/database.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"

namespace vettore {

// A database that can be closed and opened again. Externally synchronised.
class TestDatabase {
 public:
  TestDatabase() { Open(); }
  void Open();
  void Close() { database_.reset(); }
  void Reopen() {
    Close();
    Open();
  }

  Database& operator*() { return *database_; }
  Database* operator->() { return database_.get(); }
  std::filesystem::path path() const { return directory_.path() / "data"; }

  // Advanced by tests of what expires.
  absl::Duration clock_offset = absl::ZeroDuration();

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
};

// One database for the whole program, for tests that never close it: opening one takes longer than
// most of them.
Database& SharedDatabase();
// A collection of it, with a name that no other has.
std::shared_ptr<Collection> CreateShared(const CollectionConfig& config);

Name NameFor(std::string_view text);
PointId TextId(std::string_view text);

// One default vector.
CollectionConfig OneVector(uint32_t dimension, Metric metric, const IndexConfig& index);

PointWrite MakePoint(const PointId& id, std::vector<float> vector, Json payload = Json::object());
WriteRequest Upsert(std::vector<PointWrite> points);
WriteRequest Delete(std::vector<PointId> ids);
WriteRequest DeleteWhere(Filter filter);

template <typename Condition>
Filter Where(Condition condition) {
  return Filter{.node = std::move(condition)};
}
Filter Equals(std::string_view field, Scalar value);

// With the default read options and a token that never fires.
absl::StatusOr<WriteResult> Write(Collection& collection, WriteRequest request);
absl::StatusOr<SearchResult> Search(const Collection& collection, const SearchRequest& request);
absl::StatusOr<std::vector<std::optional<PointRead>>> Get(const Collection& collection,
                                                          std::vector<PointId> ids);
absl::StatusOr<uint64_t> Count(const Collection& collection,
                               const std::optional<Filter>& filter = std::nullopt);
absl::StatusOr<ScrollPage> Scroll(const Collection& collection, const ScrollRequest& request);

std::vector<PointId> IdsOf(const SearchResult& result);
std::vector<PointId> IdsOf(const ScrollPage& page);
std::vector<PointId> Numbers(std::initializer_list<uint64_t> numbers);

}  // namespace vettore
