#include "documents/document_store.h"

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/strings.h"
#include "documents/document_fixture.h"
#include "documents/unicode.h"
#include "gmock/gmock.h"
#include "types/limits.h"

namespace vettore {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::vettore::testing::DocumentStoreTest;
using ::vettore::testing::NameOrDie;
using ::vettore::testing::SampleText;

Filter Equals(std::string field, Scalar value) {
  return Filter{FieldEquals{.field = std::move(field), .value = std::move(value)}};
}

Filter AtLeast(std::string field, std::optional<double> bound) {
  FieldRange range;
  range.field = std::move(field);
  range.gte = bound;
  return Filter{std::move(range)};
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST_F(DocumentStoreTest, ADocumentComesBackByteForByte) {
  std::vector<Document> documents;
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    documents.push_back({.id = StrCat("sample/", seed, "#", seed % 3),
                         .title = seed % 2 == 0 ? "" : "A sample: “mixed” text ",
                         .text = SampleText(seed * 150, seed),
                         .metadata = {{"seed", seed}, {"tags", {"a", "b"}}, {"none", nullptr}}});
  }
  const auto written = Upsert(documents);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->documents, 12u);
  EXPECT_GT(written->chunks, 20u);
  EXPECT_GT(written->tokens, written->chunks * 5);
  EXPECT_EQ(written->replaced_chunks, 0u);
  EXPECT_EQ(Points(), written->chunks);
  for (const Document& document : documents) {
    const auto got = Get(document.id);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->id, document.id);
    EXPECT_EQ(got->title, document.title);
    EXPECT_EQ(got->text, document.text);
    EXPECT_EQ(got->metadata, document.metadata);
  }
}

TEST_F(DocumentStoreTest, AQuestionFindsItsPassage) {
  const auto written =
      Upsert({{.id = "bees",
               .title = "Bees",
               .text = "Honey bees dance to tell each other where flowers are."},
              {.id = "bridges",
               .title = "Bridges",
               .text = "A suspension bridge hangs its deck from steel cables between two towers."},
              {.id = "bread",
               .title = "Bread",
               .text = "Sourdough rises because wild yeast makes gas in the dough."}});
  ASSERT_TRUE(written.ok()) << written.status();
  const auto found = store_->Search(docs_, {.text = "what makes bread dough grow?", .k = 2},
                                    ReadOptions(), CancelToken());
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->passages.size(), 2u);
  const Passage& best = found->passages[0];
  EXPECT_EQ(best.document_id, "bread");
  EXPECT_EQ(best.title, "Bread");
  EXPECT_EQ(best.text, "Sourdough rises because wild yeast makes gas in the dough.");
  EXPECT_EQ(best.begin, 0u);
  EXPECT_EQ(best.end, best.text.size());
  EXPECT_GT(best.score, 0.4f);
  EXPECT_LE(best.score, 1.0001f);
  EXPECT_GT(best.score, found->passages[1].score);
  EXPECT_FALSE(found->query_truncated);
  EXPECT_GT(found->times.embed, absl::ZeroDuration());
}

TEST_F(DocumentStoreTest, APassageNamesItsBytesOfTheDocument) {
  const std::string text = SampleText(6'000, 11);
  ASSERT_TRUE(Upsert({{.id = "d", .text = text}}).ok());
  const std::vector<Passage> passages =
      Search({.text = "the lighthouse keeper and the boy", .k = 100});
  ASSERT_GT(passages.size(), 5u);
  for (const Passage& passage : passages) {
    EXPECT_EQ(passage.document_id, "d");
    EXPECT_EQ(passage.text, text.substr(passage.begin, passage.end - passage.begin));
    EXPECT_EQ(passage.text, TrimWhiteSpace(passage.text));
  }
}

// Without the title in the embedded text both documents would be as near.
TEST_F(DocumentStoreTest, TheTitleIsEmbeddedWithEveryChunk) {
  const std::string text = "It opens at nine and closes at five. Children enter for free.";
  ASSERT_TRUE(Upsert({{.id = "zoo", .title = "The zoo of animals", .text = text},
                      {.id = "pool", .title = "The swimming pool", .text = text}})
                  .ok());
  EXPECT_EQ(Search({.text = "when can I see elephants and lions?"})[0].document_id, "zoo");
  EXPECT_EQ(Search({.text = "when can I go for a swim?"})[0].document_id, "pool");
}

TEST_F(DocumentStoreTest, ALongTitleLeavesRoomForTheText) {
  std::string title;
  while (title.size() + 10 < kTitleBytes) title += "volcanoes ";
  const std::string text = SampleText(2'000, 4);
  const auto written = Upsert({{.id = "long", .title = title, .text = text}});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(Get("long")->title, title);
  EXPECT_EQ(Get("long")->text, text);
  // 64 tokens with 2 special ones: every chunk fits, half of it title.
  EXPECT_LE(written->tokens, written->chunks * 64);
  EXPECT_GE(written->tokens, written->chunks * 33);
}

TEST_F(DocumentStoreTest, FiltersSeeMetadataAndTheDocument) {
  std::vector<Document> documents;
  for (int i = 0; i < 20; ++i) {
    documents.push_back({.id = StrCat("d", i),
                         .text = "A short note about the weather in the mountains.",
                         .metadata = {{"author", i % 4 == 0 ? "ann" : "bob"}, {"year", 2000 + i}}});
  }
  ASSERT_TRUE(Upsert(documents).ok());
  auto passages = Search({.text = "weather", .k = 20, .filter = Equals("metadata.author", "ann")});
  EXPECT_EQ(passages.size(), 5u);
  for (const Passage& passage : passages) EXPECT_EQ(passage.metadata["author"], "ann");
  passages = Search({.text = "weather", .filter = AtLeast("metadata.year", 2018)});
  EXPECT_EQ(passages.size(), 2u);
  passages = Search({.text = "weather", .filter = Equals("document.id", "d7")});
  ASSERT_EQ(passages.size(), 1u);
  EXPECT_EQ(passages[0].metadata["year"], 2007);
}

TEST_F(DocumentStoreTest, AShorterVersionLeavesNoStaleChunks) {
  const std::string long_text = SampleText(8'000, 2);
  const auto first =
      Upsert({{.id = "d", .text = long_text}, {.id = "e", .text = "Another document."}});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_GT(first->chunks, 10u);
  const auto second = Upsert({{.id = "d", .title = "new", .text = "Only one sentence is left."}});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->chunks, 1u);
  EXPECT_EQ(second->replaced_chunks, first->chunks - 1);
  EXPECT_GT(second->position, first->position);
  EXPECT_EQ(Points(), 2u);
  EXPECT_EQ(Get("d")->text, "Only one sentence is left.");
  // And a longer one again.
  ASSERT_TRUE(Upsert({{.id = "d", .text = long_text}}).ok());
  EXPECT_EQ(Get("d")->text, long_text);
  EXPECT_EQ(Points(), first->chunks);
}

TEST_F(DocumentStoreTest, ConcurrentVersionsNeverMix) {
  const std::vector<std::string> texts = {SampleText(200, 1), SampleText(3'000, 2),
                                          SampleText(900, 3), SampleText(1'800, 4)};
  std::atomic<bool> stops = false;
  std::thread reader([&] {
    while (!stops) {
      const auto got = Get("d");
      if (!got.ok()) {
        EXPECT_EQ(got.status().code(), absl::StatusCode::kNotFound) << got.status();
        continue;
      }
      const size_t version = got->metadata["version"].get<size_t>();
      EXPECT_EQ(got->text, texts[version]);
    }
  });
  std::vector<std::thread> writers;
  for (size_t i = 0; i < texts.size(); ++i) {
    writers.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        const auto written = Upsert({{.id = "d", .text = texts[i], .metadata = {{"version", i}}}},
                                    {.durability = Durability::kBuffered});
        EXPECT_TRUE(written.ok()) << written.status();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stops = true;
  reader.join();
  const auto last = Get("d");
  ASSERT_TRUE(last.ok()) << last.status();
  // As many points as that version has chunks: nothing of another one is left.
  const uint64_t points = Points();
  const auto again = Upsert({{.id = "d", .text = last->text}});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->chunks, points);
}

TEST_F(DocumentStoreTest, WithinACallTheLastDocumentOfAnIdWins) {
  const auto written = Upsert({{.id = "a", .text = SampleText(3'000, 5)},
                               {.id = "b", .text = "Second."},
                               {.id = "a", .text = "The last one."}});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->documents, 2u);
  EXPECT_EQ(written->chunks, 2u);
  EXPECT_EQ(Points(), 2u);
  EXPECT_EQ(Get("a")->text, "The last one.");
}

TEST_F(DocumentStoreTest, DeletedDocumentsAreGoneWhole) {
  const auto written =
      Upsert({{.id = "a", .text = SampleText(3'000, 6)}, {.id = "b", .text = "Stays."}});
  ASSERT_TRUE(written.ok());
  const auto deleted = store_->Delete(docs_, {"a", "a", "never there"}, {}, CancelToken());
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->documents, 1u);
  EXPECT_EQ(deleted->chunks, written->chunks - 1);
  EXPECT_GT(deleted->position, written->position);
  EXPECT_EQ(Points(), 1u);
  EXPECT_EQ(Get("a").status().code(), absl::StatusCode::kNotFound);
  for (const Passage& passage : Search({.text = "the lighthouse"}))
    EXPECT_EQ(passage.document_id, "b");
  EXPECT_TRUE(store_->Delete(docs_, {"a"}, {}, CancelToken()).ok());
}

TEST_F(DocumentStoreTest, MoreChunksThanOneWriteDeletesAreRefused) {
  WriteRequest request;
  for (const std::string_view id : {"a", "b"}) {
    PointWrite& point = request.upserts.emplace_back();
    point.id = *PointId::Parse(StrCat(id, "#0"));
    point.payload = {{"document", {{"chunks", 6'000}}}};
  }
  ASSERT_TRUE((*database_->Get(docs_))->Write(std::move(request), CancelToken()).ok());
  const auto refused = store_->Delete(docs_, {"a", "b"}, {}, CancelToken());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(refused.status()), AllOf(HasSubstr("12000"), HasSubstr("fewer documents")));
  EXPECT_EQ(Upsert({{.id = "a", .text = "x"}, {.id = "b", .text = "y"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Points(), 2u);
  EXPECT_TRUE(store_->Delete(docs_, {"a"}, {}, CancelToken()).ok());
  EXPECT_TRUE(store_->Delete(docs_, {"b"}, {}, CancelToken()).ok());
  EXPECT_EQ(Points(), 0u);
}

TEST_F(DocumentStoreTest, IdsThatLookLikeChunksDoNotCollide) {
  const std::string text = SampleText(2'000, 8);
  ASSERT_TRUE(Upsert({{.id = "a", .text = text},
                      {.id = "a#1", .text = "One."},
                      {.id = "a#1#0", .text = "Two."}})
                  .ok());
  EXPECT_EQ(Get("a")->text, text);
  EXPECT_EQ(Get("a#1")->text, "One.");
  EXPECT_EQ(Get("a#1#0")->text, "Two.");
  ASSERT_TRUE(store_->Delete(docs_, {"a#1"}, {}, CancelToken()).ok());
  EXPECT_EQ(Get("a")->text, text);
  EXPECT_EQ(Get("a#1#0")->text, "Two.");
}

TEST_F(DocumentStoreTest, ARetriedProducerSequenceChangesNothing) {
  const DocumentWriteOptions options{.producer = ProducerTag{.producer = "loader", .seq = 1}};
  const auto first = Upsert({{.id = "d", .text = "First."}}, options);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Upsert({{.id = "d", .text = "Second."}}).ok());
  const auto retried = Upsert({{.id = "d", .text = "First."}}, options);
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_TRUE(retried->duplicate);
  EXPECT_EQ(retried->position, first->position);
  EXPECT_EQ(retried->chunks, 0u);
  EXPECT_EQ(Get("d")->text, "Second.");
}

TEST_F(DocumentStoreTest, BadDocumentsAreRefusedByNameAndNothingIsStored) {
  const Document good{.id = "good", .text = "Fine."};
  const auto expect_refusal = [&](Document bad, const std::string& field) {
    const auto refused = Upsert({good, std::move(bad)});
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(Message(refused.status()), StartsWith(field));
  };
  expect_refusal({.id = "", .text = "x"}, "documents[1].id");
  expect_refusal({.id = std::string(201, 'i'), .text = "x"}, "documents[1].id");
  expect_refusal({.id = std::string("a\0b", 3), .text = "x"}, "documents[1].id");
  expect_refusal({.id = "\xFF", .text = "x"}, "documents[1].id");
  expect_refusal({.id = "d", .text = ""}, "documents[1].text");
  expect_refusal({.id = "d", .text = " \n\t \xE3\x80\x80"}, "documents[1].text");
  expect_refusal({.id = "d", .text = "caf\xE9"}, "documents[1].text");
  expect_refusal({.id = "d", .text = std::string(10 << 20, 'x')}, "documents[1].text");
  expect_refusal({.id = "d", .title = std::string(kTitleBytes + 1, 't'), .text = "x"},
                 "documents[1].title");
  expect_refusal({.id = "d", .text = "x", .metadata = Json::array()}, "documents[1].metadata");
  expect_refusal(
      {.id = "d", .text = "x", .metadata = {{"big", std::string(kDocumentMetadataBytes, 'm')}}},
      "documents[1].metadata");
  expect_refusal({.id = "d", .text = "x", .metadata = {{"nan", std::nan("")}}},
                 "documents[1].metadata");
  EXPECT_EQ(Upsert({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Upsert(std::vector<Document>(kDocumentsPerCall + 1, good)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Points(), 0u);
}

TEST_F(DocumentStoreTest, TooManyChunksOrRepeatedMetadataAreRefusedBeforeEmbedding) {
  std::string text;
  while (text.size() < 3 << 20)
    text += "Every one of these sentences is about as long as the window allows it to be. ";
  const auto crowded = Upsert({{.id = "long", .text = text}});
  EXPECT_EQ(crowded.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(crowded.status()), AllOf(HasSubstr("long"), HasSubstr("10000")));
  const auto heavy = Upsert({{.id = "heavy",
                              .text = text.substr(0, 1 << 19),
                              .metadata = {{"m", std::string(60'000, 'm')}}}});
  EXPECT_EQ(heavy.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(heavy.status()), HasSubstr("metadata"));
}

TEST_F(DocumentStoreTest, TheLargestIdAndOddWhiteSpaceAreStored) {
  const Document odd{
      .id = std::string(kDocumentIdBytes, 'i'),
      .text = "begin " + std::string(200'000, ' ') + "\x01 control" + std::string(100'000, '\n')};
  const auto written = Upsert({odd});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_GT(written->chunks, 3u);
  EXPECT_EQ(Get(odd.id)->text, odd.text);
  // Those of white space alone are never found.
  for (const Passage& passage : Search({.text = "control", .k = 100})) {
    EXPECT_FALSE(TrimWhiteSpace(passage.text).empty());
  }
}

TEST_F(DocumentStoreTest, BadQuestionsAreRefused) {
  const auto code = [&](const PassageQuery& query) {
    return store_->Search(docs_, query, ReadOptions(), CancelToken()).status().code();
  };
  EXPECT_EQ(code({.text = ""}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = " \n"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = "\xC3"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = std::string(10 << 20, 'q')}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = "q", .k = 0}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = "q", .k = uint64_t{1} << 31}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = "q", .k = 1, .offset = UINT64_MAX}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.text = "q", .filter = AtLeast("a", std::nullopt)}),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(DocumentStoreTest, ALongQuestionIsTruncatedAndSaysSo) {
  ASSERT_TRUE(Upsert({{.id = "d", .text = "Something to find."}}).ok());
  const auto found =
      store_->Search(docs_, {.text = SampleText(20'000, 1)}, ReadOptions(), CancelToken());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->query_truncated);
}

TEST_F(DocumentStoreTest, ACollectionWithoutDocumentsSaysHowToMakeOne) {
  const Name plain = NameOrDie("plain");
  CollectionConfig config;
  config.vectors.push_back(testing::PlainVector(4));
  ASSERT_TRUE(database_->Create(plain, config).ok());
  const auto refused = store_->Upsert(plain, {{.id = "d", .text = "x"}}, {}, CancelToken());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(refused.status()), AllOf(HasSubstr("plain"), HasSubstr("create")));
  EXPECT_EQ(store_->Search(plain, {.text = "x"}, ReadOptions(), CancelToken()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->Get(plain, "d", CancelToken()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->Get(NameOrDie("absent"), "d", CancelToken()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(DocumentStoreTest, ADocumentWhosePointsWereChangedIsReportedNotInvented) {
  ASSERT_TRUE(Upsert({{.id = "d", .text = SampleText(3'000, 9)}}).ok());
  WriteRequest request;
  request.deletes.push_back(*PointId::Parse("d#2"));
  ASSERT_TRUE((*database_->Get(docs_))->Write(std::move(request), CancelToken()).ok());
  EXPECT_EQ(Get("d").status().code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(Upsert({{.id = "d", .text = "Whole again."}}).ok());
  EXPECT_EQ(Get("d")->text, "Whole again.");
  EXPECT_EQ(Points(), 1u);
}

TEST_F(DocumentStoreTest, PointsOfOthersAreFoundAsPassagesWithoutADocument) {
  std::vector<PointWrite> points = {
      testing::Point(7, {{"text", "A point that was written as a point."}})};
  const auto collection = *database_->Get(docs_);
  ASSERT_TRUE(store_->FillVectors(collection->config(), points, CancelToken()).ok());
  WriteRequest request;
  request.upserts = points;
  ASSERT_TRUE(collection->Write(std::move(request), CancelToken()).ok());
  const auto passages = Search({.text = "a point"});
  ASSERT_EQ(passages.size(), 1u);
  EXPECT_EQ(passages[0].document_id, "");
  EXPECT_EQ(passages[0].text, "A point that was written as a point.");
}

// Reopened with a models directory that is empty, nothing could be embedded.
TEST_F(DocumentStoreTest, EverythingIsThereAfterReopeningWithoutEmbeddingAgain) {
  const std::string text = SampleText(5'000, 10);
  const auto written =
      Upsert({{.id = "d", .title = "T", .text = text}, {.id = "e", .text = "Short."}});
  ASSERT_TRUE(written.ok());
  const PassageQuery query{.text = "who knocked at the door?", .k = 5, .exact = true};
  const std::vector<Passage> before = Search(query);
  auto vector =
      store_->EmbedQuery((*database_->Get(docs_))->config(), "", query.text, CancelToken());
  ASSERT_TRUE(vector.ok());
  Close();
  Open();
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_EQ(Points(), written->chunks);

  const TemporaryDirectory empty;
  ModelDirectory no_models(empty.path());
  const DocumentStore modelless(*database_, no_models);
  EXPECT_EQ(modelless.Get(docs_, "d", CancelToken())->text, text);
  SearchRequest request;
  request.query = vector->values;
  request.k = 5;
  request.exact = true;
  const auto found = (*database_->Get(docs_))->Search(request, ReadOptions(), CancelToken());
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->points.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(found->points[i].score, before[i].score);
    EXPECT_THAT(found->points[i].point.payload["text"].get<std::string>(),
                HasSubstr(before[i].text));
  }
  EXPECT_EQ(modelless.Search(docs_, query, ReadOptions(), CancelToken()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(DocumentStoreTest, AGoneCallerStopsAnIngest) {
  const CancelToken gone(absl::InfinitePast(), nullptr);
  const auto stopped =
      store_->Upsert(docs_, {{.id = "d", .text = SampleText(200'000, 1)}}, {}, gone);
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Points(), 0u);
}

}  // namespace
}  // namespace vettore
