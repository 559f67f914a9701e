// A database, the real model and a document store upon them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "documents/document_store.h"
#include "documents/fixture.h"
#include "gmock/gmock.h"

namespace vettore::testing {

// A vector that the real model fills.
inline VectorConfig ModelVector() {
  VectorConfig vector;
  vector.model.emplace().name = kRealModel;
  return vector;
}

// A vector that no model fills.
inline VectorConfig PlainVector(uint32_t dimension) {
  VectorConfig vector;
  vector.dimension = dimension;
  return vector;
}

inline PointWrite Point(uint64_t id, Json payload) {
  PointWrite point;
  point.id = PointId(id);
  point.payload = std::move(payload);
  return point;
}

inline Name NameOrDie(std::string_view text) { return *Name::Parse(text, "test"); }

// Documents "docs" with the real model, on an empty data directory.
class DocumentStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    VETTORE_SKIP_WITHOUT_MODEL();
    Open();
    if (HasFatalFailure()) return;
    CollectionConfig config = Config();
    const absl::Status resolved = store_->Resolve(config);
    ASSERT_TRUE(resolved.ok()) << resolved;
    const auto created = database_->Create(docs_, config);
    ASSERT_TRUE(created.ok()) << created.status();
  }

  // Reading the model takes longer than most tests.
  static const std::shared_ptr<ModelDirectory>& SharedModels() {
    static const auto* const kModels = new std::shared_ptr<ModelDirectory>(
        std::make_shared<ModelDirectory>(RealModelsDirectory()));
    return *kModels;
  }

  static CollectionConfig Config() {
    CollectionConfig config;
    config.vectors.push_back(ModelVector());
    config.documents = ChunkingConfig{.max_tokens = 64, .overlap_tokens = 16};
    return config;
  }

  void Open() {
    auto database = Database::Open({.data_dir = directory_.path() / "data"});
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    store_ = std::make_unique<DocumentStore>(*database_, *SharedModels());
  }
  void Close() {
    store_ = nullptr;
    database_ = nullptr;
  }

  absl::StatusOr<DocumentWriteResult> Upsert(std::vector<Document> documents,
                                             const DocumentWriteOptions& options = {}) {
    return store_->Upsert(docs_, std::move(documents), options, CancelToken());
  }
  absl::StatusOr<Document> Get(std::string_view id) const {
    return store_->Get(docs_, id, CancelToken());
  }
  std::vector<Passage> Search(const PassageQuery& query) const {
    auto found = store_->Search(docs_, query, ReadOptions(), CancelToken());
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? found->passages : std::vector<Passage>();
  }
  uint64_t Points() const {
    auto count = (*database_->Get(docs_))->Count(std::nullopt, ReadOptions(), CancelToken());
    EXPECT_TRUE(count.ok()) << count.status();
    return count.value_or(0);
  }

  const TemporaryDirectory directory_;
  const Name docs_ = NameOrDie("docs");
  std::unique_ptr<Database> database_;
  std::unique_ptr<DocumentStore> store_;
};

}  // namespace vettore::testing
