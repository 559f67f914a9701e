// Documents out of text, Markdown, JSON Lines, CSV, and folders of them.
#include <algorithm>

#include "cli/format/csv_reader.h"
#include "cli/format/document_source.h"
#include "cli/input_files.h"

namespace vettore {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

class DocumentsTest : public InputFiles {
 protected:
  std::unique_ptr<DocumentReader> Reader(DocumentFormat format, std::string_view bytes,
                                         DocumentReaderOptions options = {}) {
    options.format = format;
    options.name = "input";
    absl::StatusOr<std::unique_ptr<DocumentReader>> reader = OpenDocuments(FileOf(bytes), options);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }
  InputDocument Only(DocumentFormat format, std::string_view bytes,
                     const DocumentReaderOptions& options = {}) {
    const std::unique_ptr<DocumentReader> reader = Reader(format, bytes, options);
    absl::StatusOr<std::optional<InputDocument>> document = reader->Next();
    EXPECT_TRUE(document.ok() && document->has_value()) << document.status();
    EXPECT_FALSE(reader->Next()->has_value());
    return **std::move(document);
  }
  std::vector<std::vector<std::string>> Csv(std::string_view bytes) {
    CsvReader reader(FileOf(bytes), ',', 1'000);
    std::vector<std::vector<std::string>> records;
    while (true) {
      absl::StatusOr<std::optional<CsvRecord>> record = reader.Next();
      EXPECT_TRUE(record.ok()) << record.status();
      if (!record.ok() || !*record) return records;
      records.push_back((*record)->cells);
    }
  }
};

TEST_F(DocumentsTest, CsvQuotingFollowsRfc4180) {
  EXPECT_THAT(Csv("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n\"two\r\nlines\",\"\"\n,\n"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("x, y", "say \"hi\""),
                          ElementsAre("two\r\nlines", ""), ElementsAre("", "")));
  EXPECT_THAT(Csv("a"), ElementsAre(ElementsAre("a")));
  EXPECT_THAT(Csv("\xEF\xBB\xBF\"a\"\n\n\nb"), ElementsAre(ElementsAre("a"), ElementsAre("b")));
  EXPECT_THAT(Csv(""), ElementsAre());
}

TEST_F(DocumentsTest, WrongCsvNamesTheLineAndGoesOnWhereItCan) {
  CsvReader reader(FileOf("ok,1\nbad\"quote,2\n\"x\"y,3\nfine,4\n\"no end\nhere"), ',', 1'000);
  EXPECT_TRUE(reader.Next().ok());
  ExpectInvalid(reader.Next(), {"input:2", "quote"});
  ExpectInvalid(reader.Next(), {"input:3", "after a cell's closing quote"});
  const absl::StatusOr<std::optional<CsvRecord>> fine = reader.Next();
  ASSERT_TRUE(fine.ok()) << fine.status();
  EXPECT_THAT((*fine)->cells, ElementsAre("fine", "4"));
  const absl::StatusOr<std::optional<CsvRecord>> lost = reader.Next();
  EXPECT_EQ(lost.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(lost.status().message()), HasSubstr("input:5"));
}

TEST_F(DocumentsTest, LongCsvRecordIsPassedOverWhole) {
  CsvReader reader(FileOf("\"" + std::string(5'000, 'x') + "\n\",1\nnext,2\n"), ',', 1'000);
  ExpectInvalid(reader.Next(), {"input:1", "at most 1000"});
  EXPECT_THAT((*reader.Next())->cells, ElementsAre("next", "2"));
}

TEST_F(DocumentsTest, CsvColumnsBecomeIdTitleTextAndMetadata) {
  const std::unique_ptr<DocumentReader> reader =
      Reader(DocumentFormat::kCsv, "id,text,year,title\n7,Hello,1999,Greeting\n,World,,\n");
  const InputDocument first = **reader->Next();
  EXPECT_EQ(first.id, "7");
  EXPECT_EQ(first.title, "Greeting");
  EXPECT_EQ(first.text, "Hello");
  EXPECT_EQ(first.metadata, Json({{"year", "1999"}}));
  EXPECT_THAT(first.where, EndsWith("input:2"));
  const InputDocument second = **reader->Next();
  EXPECT_EQ(second.id, "input#3");
  EXPECT_EQ(second.metadata, Json::object());
}

TEST_F(DocumentsTest, CsvWithoutTextColumnOrWithRaggedRowsIsNamed) {
  const DocumentReaderOptions options{.format = DocumentFormat::kCsv, .name = "input"};
  ExpectInvalid(OpenDocuments(FileOf("a,b\n1,2\n"), options), {"no column 'text' among a, b"});
  ExpectInvalid(OpenDocuments(FileOf("text,a,a\n"), options), {"'a' stands twice"});
  ExpectInvalid(OpenDocuments(FileOf(""), options), {"header"});
  const std::unique_ptr<DocumentReader> reader = Reader(DocumentFormat::kCsv, "text,a\nx\ny,1\n");
  ExpectInvalid(reader->Next(), {"input:2", "1 cells, the header has 2"});
  EXPECT_EQ((*reader->Next())->text, "y");
}

TEST_F(DocumentsTest, JsonLinesKeysBecomeMetadata) {
  const InputDocument document =
      Only(DocumentFormat::kJsonLines,
           R"({"_id": 12, "title": "T", "text": "Body", "year": 1963, "metadata": {"lang": "it"}})"
           "\n");
  EXPECT_EQ(document.id, "12");
  EXPECT_EQ(document.title, "T");
  EXPECT_EQ(document.text, "Body");
  EXPECT_EQ(document.metadata, Json({{"year", 1963}, {"lang", "it"}}));
}

TEST_F(DocumentsTest, RecordWithoutTextIsStoredByItsTitle) {
  const InputDocument document =
      Only(DocumentFormat::kJsonLines, R"({"id": "a", "title": "Only a title", "text": " "})");
  EXPECT_EQ(document.text, "Only a title");
}

TEST_F(DocumentsTest, WrongJsonLinesNameTheLineAndGoOn) {
  const std::unique_ptr<DocumentReader> reader =
      Reader(DocumentFormat::kJsonLines,
             "{\"text\": 5.5}\n{\"body\": \"x\"}\n{\"text\": \"\"}\nnonsense\n"
             "{\"text\": \"a\", \"x\": 1, \"metadata\": {\"x\": 2}}\n"
             "{\"id\": 1, \"_id\": 2, \"text\": \"a\"}\n{\"text\": \"good\"}\n");
  ExpectInvalid(reader->Next(), {"input:1", "a text is wanted"});
  ExpectInvalid(reader->Next(), {"input:2", "no \"text\"", "--text-field"});
  ExpectInvalid(reader->Next(), {"input:3", "empty"});
  ExpectInvalid(reader->Next(), {"input:4", "byte"});
  ExpectInvalid(reader->Next(), {"input:5", "\"x\" stands in"});
  ExpectInvalid(reader->Next(), {"input:6", "together"});
  const InputDocument good = **reader->Next();
  EXPECT_EQ(good.text, "good");
  EXPECT_EQ(good.id, "input#7");
}

TEST_F(DocumentsTest, InvalidUtf8IsRefusedAtItsByteOrReplaced) {
  const std::string text = "caf\xE9 au lait";
  const std::unique_ptr<DocumentReader> reader = Reader(DocumentFormat::kText, text);
  ExpectInvalid(reader->Next(), {"input", "byte 3", "--invalid-utf8 replace"});
  DocumentReaderOptions replace;
  replace.invalid_utf8 = InvalidUtf8::kReplace;
  EXPECT_EQ(Only(DocumentFormat::kText, text, replace).text, "caf\xEF\xBF\xBD au lait");
  const std::unique_ptr<DocumentReader> lines =
      Reader(DocumentFormat::kJsonLines, "{\"text\": \"a\"}\n{\"text\": \"\xC3\x28\"}\n");
  EXPECT_TRUE(lines->Next().ok());
  ExpectInvalid(lines->Next(), {"input:2", "byte 24"});
}

TEST_F(DocumentsTest, TitleIsTheFirstHeading) {
  const auto markdown = [](std::string_view text) {
    return FirstHeading(text, DocumentFormat::kMarkdown);
  };
  EXPECT_EQ(markdown("intro\n\n## Second level ##\n# First\n"), "Second level");
  EXPECT_EQ(markdown("Setext\n======\n"), "Setext");
  EXPECT_EQ(markdown("---\ntitle: x\n---\n# C#\n"), "C#");
  EXPECT_EQ(markdown("```\n# a comment\n```\n#tag\n# Real\n"), "Real");
  EXPECT_EQ(markdown("no heading here\n"), "");
  const auto restructured = [](std::string_view text) {
    return FirstHeading(text, DocumentFormat::kRestructured);
  };
  EXPECT_EQ(restructured(".. _label:\n\n*****\nTitle\n*****\n"), "Title");
  EXPECT_EQ(restructured("Section\n-------\n"), "Section");
}

TEST_F(DocumentsTest, FoldersAreReadInOrderWithoutHiddenFiles) {
  Write("root/b.txt", "second");
  Write("root/a/deep.md", "# Deep\ntext");
  Write("root/.git/config.txt", "hidden");
  Write("root/.hidden.txt", "hidden");
  Write("root/image.png", "no text");
  Write("root/c.rst", "Third\n=====\n");
  std::filesystem::create_symlink(folder_.path() / "root", folder_.path() / "root" / "loop");
  const absl::StatusOr<SourceListing> listing =
      ListSources({(folder_.path() / "root").string()}, std::nullopt);
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(listing->skipped, ElementsAre(EndsWith("root/image.png")));
  DocumentSource source(listing->files, {});
  std::vector<std::string> ids, titles;
  while (true) {
    const absl::StatusOr<std::optional<InputDocument>> document = source.Next();
    ASSERT_TRUE(document.ok()) << document.status();
    if (!*document) break;
    ids.push_back((*document)->id);
    titles.push_back((*document)->title);
  }
  EXPECT_THAT(ids, ElementsAre("a/deep.md", "b.txt", "c.rst"));
  EXPECT_THAT(titles, ElementsAre("Deep", "b", "Third"));
  EXPECT_EQ(source.consumed_bytes(), *source.total_bytes());
}

TEST_F(DocumentsTest, SourceGoesOnBehindAFileThatCannotBeRead) {
  const std::string empty = Write("empty.txt", " \n");
  const std::string broken = Write("broken.csv", "text\n\"no end\n");
  const std::string good = Write("good.txt", "good");
  const absl::StatusOr<SourceListing> listing = ListSources({empty, broken, good}, std::nullopt);
  ASSERT_TRUE(listing.ok()) << listing.status();
  DocumentSource source(listing->files, {});
  ExpectInvalid(source.Next(), {"empty.txt", "no text"});
  EXPECT_EQ(source.Next().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ((*source.Next())->text, "good");
  EXPECT_FALSE(source.Next()->has_value());
}

TEST_F(DocumentsTest, ListingRefusesWhatItCannotName) {
  const std::string image = Write("picture.png", "x");
  ExpectInvalid(ListSources({image}, std::nullopt), {"picture.png", "--format"});
  ExpectInvalid(ListSources({"-"}, std::nullopt), {"standard input needs --format"});
  EXPECT_EQ(ListSources({image + ".missing"}, std::nullopt).status().code(),
            absl::StatusCode::kNotFound);
  const std::string one = Write("one/readme.md", "x");
  const std::string two = Write("two/readme.md", "y");
  ExpectInvalid(ListSources({one, two}, std::nullopt), {"one/readme.md", "two/readme.md"});
}

}  // namespace
}  // namespace vettore
