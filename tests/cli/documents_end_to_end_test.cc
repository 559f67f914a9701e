// Text in, passages out, through the real program, server and model; skipped where it is not
// installed.
#include "cli/format/vector_rows.h"
#include "cli/program.h"
#include "support/real_model.h"

namespace vettore {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class DocumentsEndToEnd : public Program {
 protected:
  void SetUp() override {
    VETTORE_SKIP_WITHOUT_MODEL();
    StartServer();
    Write("docs/bread.md", "# Baking\n\nBread is baked from a dough of flour and water.\n");
    Write("docs/music/violin.txt", "A violin is a string instrument played with a bow.");
    Write("docs/earth.jsonl",
          "{\"id\":\"v\",\"title\":\"Volcano\",\"text\":\"Lava erupts from a volcano.\","
          "\"year\":1963}\n");
    Write("docs/table.csv", "id,text,kind\nr,\"Rivers flow, slowly, to the sea.\",water\n");
    Write("docs/picture.png", "");
  }
};

TEST_F(DocumentsEndToEnd, FolderIsIngestedAndAnswersQuestions) {
  const Json stored = RunJson({"ingest", "docs"});
  EXPECT_EQ(stored["documents"], 4);
  EXPECT_EQ(stored["passages"], 4);
  EXPECT_EQ(stored["failed"], 0);
  EXPECT_EQ(stored["skipped_files"].size(), 1u);
  EXPECT_GT(stored["tokens"].get<int>(), 30);

  const Json found = RunJson({"search", "how", "is", "bread", "made?", "-k", "2"});
  ASSERT_EQ(found["passages"].size(), 2u);
  EXPECT_EQ(found["passages"][0]["document_id"], "bread.md");
  EXPECT_EQ(found["passages"][0]["title"], "Baking");
  EXPECT_EQ(found["passages"][0]["begin"], 0);
  EXPECT_GT(found["passages"][0]["score"], found["passages"][1]["score"]);

  const Json old = RunJson({"search", "nature", "-f", "metadata.year < 2000"});
  ASSERT_EQ(old["passages"].size(), 1u);
  EXPECT_EQ(old["passages"][0]["metadata"], Json({{"year", 1963}}));

  const Ran human = Run({"search", "string instrument", "-k", "1", "--explain"});
  EXPECT_EQ(human.exit_code, 0) << human.error;
  EXPECT_THAT(human.out, HasSubstr("violin\n    music/violin.txt, bytes 0 to 50\n"));
  EXPECT_THAT(human.out, HasSubstr("embed"));
}

TEST_F(DocumentsEndToEnd, IngestingAgainReplaces) {
  ASSERT_EQ(Run({"ingest", "docs"}).exit_code, 0);
  const Json again = RunJson({"ingest", "docs"});
  EXPECT_EQ(again["replaced_passages"], 4);
  EXPECT_EQ(RunJson({"collection", "info", "documents"})["points"], 4);
}

TEST_F(DocumentsEndToEnd, StandardInputIsIngestedAndBadRecordsAreLeftOutOnRequest) {
  const std::string lines = "{\"id\":\"a\",\"text\":\"First.\"}\nnot json\n{\"id\":\"" +
                            std::string(300, 'x') +
                            "\",\"text\":\"Id too long.\"}\n{\"id\":\"b\",\"text\":\"Second.\"}\n";
  const Ran strict = Run({"ingest", "-", "--format", "jsonl", "-c", "strict"}, lines);
  EXPECT_EQ(strict.exit_code, 1);
  EXPECT_THAT(strict.error, HasSubstr("standard input:2"));
  EXPECT_THAT(strict.error, HasSubstr("--skip-invalid"));
  EXPECT_EQ(RunJson({"collection", "info", "strict"})["points"], 1);

  const Ran lenient =
      Run({"ingest", "-", "--format", "jsonl", "-c", "lenient", "--skip-invalid", "--json"}, lines);
  EXPECT_EQ(lenient.exit_code, 1);
  EXPECT_EQ(lenient.json()["documents"], 2);
  ASSERT_EQ(lenient.json()["failures"].size(), 2u);
  EXPECT_THAT(lenient.json()["failures"][1].get<std::string>(), HasSubstr("standard input:3"));
}

TEST_F(DocumentsEndToEnd, CollectionThatDoesNotFitIsRefused) {
  ASSERT_EQ(Run({"collection", "create", "points", "--dimension", "4"}).exit_code, 0);
  const Ran points = Run({"ingest", "docs", "-c", "points"});
  EXPECT_EQ(points.exit_code, 1);
  EXPECT_THAT(points.error, HasSubstr("takes points, not documents"));
  ASSERT_EQ(Run({"collection", "create", "notes"}).exit_code, 0);
  const Ran model = Run({"ingest", "docs", "-c", "notes", "--model", "other"});
  EXPECT_EQ(model.exit_code, 1);
  EXPECT_THAT(model.error, HasSubstr("not with 'other'"));
  EXPECT_EQ(Run({"ingest", "docs", "-c", "new", "--model", "other"}).exit_code, 1);
}

TEST_F(DocumentsEndToEnd, EmbedWritesJsonLinesAndNpy) {
  const Ran lines = Run({"embed", "one text", "another"});
  EXPECT_EQ(lines.exit_code, 0) << lines.error;
  const Json first = Json::parse(lines.out.substr(0, lines.out.find('\n')));
  EXPECT_EQ(first["text"], "one text");
  EXPECT_EQ(first["embedding"].size(), 384u);
  EXPECT_EQ(first["truncated"], false);

  ASSERT_EQ(Run({"embed", "-", "-o", "out.npy"}, "one text\nanother\n").exit_code, 0);
  absl::StatusOr<InputFile> file = InputFile::Open((folder_.path() / "out.npy").string());
  ASSERT_TRUE(file.ok()) << file.status();
  const auto rows = OpenNpyRows(*std::move(file), OneDimensional::kRefuse);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ((*rows)->count(), 2u);
  std::vector<float> row;
  ASSERT_TRUE((*rows)->Next(row).ok());
  EXPECT_NEAR(row[0], first["embedding"][0].get<float>(), 1e-5);

  EXPECT_EQ(RunJson({"embed", "--models"})["models"][0]["dimension"], 384);
}

TEST_F(DocumentsEndToEnd, TruncationIsNeverSilent) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "word ";
  const Ran ran = Run({"embed", text});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.error, StartsWith("warning: text 1 has 402 tokens"));
  EXPECT_EQ(Json::parse(ran.out)["truncated"], true);
  EXPECT_EQ(Run({"embed", text, "--no-truncation"}).exit_code, 1);
}

}  // namespace
}  // namespace vettore
