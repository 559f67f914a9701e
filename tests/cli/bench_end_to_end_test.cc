// `vettore bench` through the real program: over files, and over a collection of a real server.
#include <random>
#include <sstream>

#include "cli/format/npy_header.h"
#include "cli/program.h"

namespace vettore {
namespace {

using testing::HasSubstr;

std::vector<Json> LinesOf(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(Json::parse(line, nullptr, false));
    EXPECT_FALSE(lines.back().is_discarded()) << line;
  }
  return lines;
}

// Random rows of 8 dimensions.
std::string Npy(uint64_t rows) {
  std::mt19937 random(7);
  std::normal_distribution<float> value;
  std::string bytes = WriteNpyHeader({rows, 8});
  for (uint64_t i = 0; i < rows * 8; ++i) {
    const float entry = value(random);
    bytes.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  }
  return bytes;
}

class BenchAnnTest : public Program {
 protected:
  // With exact answers kept in the test's own folder.
  Ran Bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"bench", "ann"});
    arguments.insert(arguments.end(), {"--cache", (folder_ / "truth").string()});
    return Run(std::move(arguments));
  }
};

TEST_F(BenchAnnTest, MeasuresVectorsOfAFileAndKeepsTheLines) {
  Write("v.npy", Npy(2'000));
  const Ran ran = Bench({"v.npy", "--metric", "l2", "--ef-search", "10,200", "--threads", "1,2",
                         "--repeats", "2", "--query-count", "50", "--out", "lines.jsonl"});
  ASSERT_EQ(ran.exit_code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("v: 1,950 x 8 l2, held-out, k 10"));
  EXPECT_THAT(ran.out, HasSubstr("vettore-hnsw"));
  EXPECT_THAT(ran.out, HasSubstr("vettore-flat"));
  EXPECT_EQ(ran.error, "");
  const std::vector<Json> lines = LinesOf(Read("lines.jsonl"));
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_GT(lines[1]["recall"], 0.95);
  EXPECT_EQ(lines[5]["recall"], 1);
}

TEST_F(BenchAnnTest, KindsMayNameFactoriesOfFaissWithTheirCommas) {
  Write("v.npy", Npy(2'000));
  const Ran ran =
      Bench({"v.npy", "--metric", "l2", "--kinds", "faiss:IVF16,SQ8,ivf", "--encoding", "pq8",
             "--nprobe", "2,8", "--repeats", "1", "--query-count", "50", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.error;
  const std::vector<Json> lines = LinesOf(ran.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["system"], "vettore-faiss-IVF16,SQ8");
  EXPECT_EQ(lines[1]["parameters"]["nprobe"], 8);
  EXPECT_EQ(lines[2]["system"], "vettore-ivf-pq8");
  EXPECT_EQ(Bench({"v.npy", "--kinds", "tree"}).exit_code, 2);
  EXPECT_EQ(Bench({"v.npy", "--encoding", "pq5"}).exit_code, 2);
}

TEST_F(BenchAnnTest, JsonIsALineForEachResult) {
  Write("v.npy", Npy(500));
  const Ran ran = Bench({"v.npy", "--json", "--quick"});
  ASSERT_EQ(ran.exit_code, 0) << ran.error;
  const std::vector<Json> lines = LinesOf(ran.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["data"], "v");
  EXPECT_EQ(lines[0]["metric"], "cosine");
  EXPECT_EQ(lines[0]["repeats"], 3);
}

TEST_F(BenchAnnTest, BadInputIsRefusedInWords) {
  Write("v.npy", Npy(100));
  Write("cut.npy", Npy(100).substr(0, 1'000));
  Write("words.txt", "hello\n");
  Write("narrow.fvecs", std::string("\x01\0\0\0\0\0\x80\x3F", 8));
  const std::vector<std::tuple<std::vector<std::string>, int, std::string>> cases = {
      {{"absent"}, 1, "no data set 'absent'"},
      {{"words.txt"}, 1, "words.txt: wanted a .npy"},
      {{"cut.npy"}, 1, "cut.npy: the file is cut off"},
      {{"v.npy", "--queries", "narrow.fvecs"}, 1, "narrow have dimension 1, the base has 8"},
      {{"v.npy", "-k", "91"}, 1, "k is 91, the base has only 90 vectors"},
      {{"v.npy", "-k", "0"}, 2, "-k: wanted 1 to 10000, got 0"},
      {{"v.npy", "--kinds", "tree"},
       2,
       "--kinds: wanted hnsw, flat, ivf or faiss:FACTORY, got 'tree'"},
      {{"v.npy", "--ef-search", "0"}, 2, "--ef-search: wanted 1 to 4096"},
      {{"v.npy", "--ef-search", "ten"}, 2, "--ef-search"},
      {{"v.npy", "--m", "0"}, 2, "--m: wanted 4 to 128, got 0"},
      {{"v.npy", "--ef-construction", "8"}, 2, "--ef-construction: wanted 16 to 4096, got 8"},
      {{"v.npy", "--threads", "0"}, 2, "--threads: wanted 1 to 1024"},
      {{"v.npy", "--repeats", "0"}, 2, "--repeats: wanted 1 to 1000"},
      {{"v.npy", "--metric", "far"}, 2, "--metric 'far'"},
      {{"v.npy", "--out", "no/such/folder"}, 1, "--out 'no/such/folder'"},
      {{}, 2, "data is required"},
  };
  for (const auto& [arguments, exit_code, part] : cases) {
    const Ran ran = Bench(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << part << "; " << ran.error;
    EXPECT_THAT(ran.error, HasSubstr(part));
    EXPECT_EQ(ran.out, "");
  }
}

class BenchCollectionTest : public Program {
 protected:
  void SetUp() override {
    StartServer();
    Write("v.npy", Npy(3'000));
    ASSERT_EQ(Run({"import", "v.npy", "-c", "points", "--metric", "l2"}).exit_code, 0);
  }
};

TEST_F(BenchCollectionTest, ComparesTheIndexWithExactSearch) {
  const Ran ran = Run({"bench", "collection", "points", "--ef-search", "1,400", "--sample", "200",
                       "--repeats", "2", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.error;
  const std::vector<Json> lines = LinesOf(ran.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["system"], "exact");
  for (const Json& line : lines) {
    EXPECT_EQ(line["vectors"], 3'000);
    EXPECT_EQ(line["query_count"], 200);
    EXPECT_GT(line["p50_us"], 0);
    EXPECT_LE(line["p50_us"], line["p99_us"]);
    EXPECT_GE(line["p50_us"], line["server_p50_us"]);
  }
  EXPECT_EQ(lines[0]["recall"], 1);
  EXPECT_EQ(lines[2]["parameters"]["ef_search"], 400);
  EXPECT_GT(lines[2]["recall"], 0.99);
  EXPECT_LE(lines[1]["recall"], lines[2]["recall"]);
}

TEST_F(BenchCollectionTest, TakesQueriesFromAFileAndShowsATable) {
  Write("queries.npy", Npy(20));
  const Ran ran =
      Run({"bench", "collection", "points", "--queries", "queries.npy", "--ef-search", "64"});
  ASSERT_EQ(ran.exit_code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("points: 3,000 x 8 l2, queries.npy, k 10"));
  EXPECT_THAT(ran.out, HasSubstr("RECALL"));
  EXPECT_THAT(ran.out, HasSubstr("exact"));
}

TEST_F(BenchCollectionTest, AFlatCollectionIsExactOnly) {
  ASSERT_EQ(Run({"import", "v.npy", "-c", "flat", "--index", "flat"}).exit_code, 0);
  const Ran ran = Run({"bench", "collection", "flat", "--sample", "5", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.error;
  EXPECT_EQ(LinesOf(ran.out).size(), 1u);
}

TEST_F(BenchCollectionTest, BadInputIsRefusedInWords) {
  Write("narrow.fvecs", std::string("\x01\0\0\0\0\0\x80\x3F", 8));
  ASSERT_EQ(Run({"collection", "create", "empty", "--dimension", "4"}).exit_code, 0);
  const std::vector<std::tuple<std::vector<std::string>, int, std::string>> cases = {
      {{"absent"}, 1, "there is no collection 'absent'"},
      {{"empty"}, 1, "holds no vectors"},
      {{"points", "--vector-name", "title"}, 1, "has no vector 'title'"},
      {{"points", "--queries", "narrow.fvecs"}, 1, "dimension 1, collection 'points' expects 8"},
      {{"points", "--queries", "absent.npy"}, 1, "absent.npy"},
      {{"points", "-k", "0"}, 2, "-k: wanted 1 to 9999, got 0"},
      {{"points", "-k", "10000"}, 2, "-k: wanted 1 to 9999, got 10000"},
      {{"points", "--ef-search", "5000"}, 2, "--ef-search: wanted 1 to 4096, got 5000"},
      {{"points", "--sample", "0"}, 2, "--sample"},
      {{}, 2, "collection is required"},
  };
  for (auto [arguments, exit_code, part] : cases) {
    arguments.insert(arguments.begin(), {"bench", "collection"});
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << part << "; " << ran.error;
    EXPECT_THAT(ran.error, HasSubstr(part));
  }
}

}  // namespace
}  // namespace vettore
