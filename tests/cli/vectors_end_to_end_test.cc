// Collections, import, search and export through the real program and server; no model is needed.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "absl/time/clock.h"
#include "cli/format/npy_header.h"
#include "cli/program.h"

namespace vettore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class VectorsEndToEnd : public Program {
 protected:
  void SetUp() override { StartServer(); }
  // Rows (i, 0, 0, 1).
  static std::string Npy(uint64_t rows) {
    std::string bytes = WriteNpyHeader({rows, 4});
    for (uint64_t i = 0; i < rows; ++i) {
      const float row[4] = {static_cast<float>(i), 0, 0, 1};
      bytes.append(reinterpret_cast<const char*>(row), sizeof row);
    }
    return bytes;
  }
};

TEST_F(VectorsEndToEnd, CollectionsAreMadeListedAliasedAndDeleted) {
  const Json made = RunJson({"collection", "create", "things", "--dimension", "4", "--metric", "l2",
                             "--m", "24", "--payload-index", "year:integer"});
  EXPECT_EQ(made["name"], "things");
  const Json vector = made["config"]["vectors"][0];
  EXPECT_EQ(vector["dimension"], 4);
  EXPECT_EQ(vector["metric"], "METRIC_L2");
  EXPECT_EQ(vector["hnsw"]["m"], 24);
  EXPECT_EQ(made["config"]["payload_indexes"][0]["field"], "year");

  // A config goes out and comes in again.
  Write("config.json", made["config"].dump());
  EXPECT_EQ(RunJson({"collection", "create", "copy", "--config", "config.json"})["config"],
            made["config"]);
  EXPECT_EQ(Run({"collection", "create", "things", "--dimension", "4"}).exit_code, 1);

  EXPECT_EQ(Run({"collection", "alias", "set", "live", "copy"}).exit_code, 0);
  EXPECT_EQ(RunJson({"collection", "alias", "list"})["aliases"][0]["collection"], "copy");
  EXPECT_EQ(RunJson({"collection", "info", "live"})["name"], "copy");
  EXPECT_EQ(Run({"collection", "alias", "delete", "live"}).exit_code, 0);

  const Ran unconfirmed = Run({"collection", "delete", "copy"});
  EXPECT_EQ(unconfirmed.exit_code, 2);
  EXPECT_THAT(unconfirmed.error, HasSubstr("--yes"));
  EXPECT_EQ(Run({"collection", "delete", "copy", "--yes"}).exit_code, 0);
  EXPECT_EQ(Run({"collection", "delete", "copy", "--yes"}).exit_code, 1);
  const Ran list = Run({"collection", "list"});
  EXPECT_THAT(list.out, HasSubstr("things"));
  EXPECT_THAT(list.out, HasSubstr("4 l2 hnsw"));
  EXPECT_EQ(RunJson({"status"})["collections"].size(), 1u);
}

TEST_F(VectorsEndToEnd, NpyIsImportedWithIdsAndPayloadsAndFound) {
  Write("v.npy", Npy(3));
  Write("ids.txt", "10\nabc\n12\n");
  Write("about.jsonl", "{\"year\":1960}\n{\"year\":1970,\"tags\":[\"x\"]}\n{}\n");
  const Json stored = RunJson({"import", "v.npy", "-c", "things", "--metric", "l2", "--ids",
                               "ids.txt", "--payloads", "about.jsonl"});
  EXPECT_EQ(stored["points"], 3);
  EXPECT_EQ(stored["failed"], 0);
  const Json found =
      RunJson({"search", "-c", "things", "--vector", "[1.2, 0, 0, 1]", "-k", "2", "--exact"});
  EXPECT_EQ(found["points"][0]["id"], "abc");
  EXPECT_EQ(found["points"][0]["payload"], Json({{"year", 1970}, {"tags", {"x"}}}));
  EXPECT_EQ(found["points"][1]["id"], 12);
  EXPECT_EQ(found["trace"]["plan"], "exact scan");
  const Json filtered = RunJson({"search", "-c", "things", "--vector-file", "v.npy", "--row", "2",
                                 "-f", "year < 1965 or tags = x", "-f", "not year = 1970"});
  ASSERT_EQ(filtered["points"].size(), 1u);
  EXPECT_EQ(filtered["points"][0]["id"], 10);
  const Ran human = Run({"search", "-c", "things", "--vector", "[0,0,0,1]", "-k", "1", "--explain",
                         "--with-vectors"});
  EXPECT_EQ(human.exit_code, 0) << human.error;
  EXPECT_THAT(human.out, HasSubstr(" 1. 0.0000  10\n"));
  EXPECT_THAT(human.out, HasSubstr("round trip"));
}

TEST_F(VectorsEndToEnd, ImportOfAnExportReproducesIt) {
  const std::string points =
      R"({"id":1,"vector":[0.1,-2.5e-30,3.0,16777216.0],"payload":{"big":9223372036854775807,"d":1.0}})"
      "\n"
      R"({"id":18446744073709551615,"vector":[1.0,2.0,3.0,4.0],"payload":{"nested":{"a":[null,true,"è"]}}})"
      "\n"
      R"({"id":"text id","vector":[1.0,1.0,1.0,1.0],"payload":{}})"
      "\n";
  Write("in.jsonl", points);
  ASSERT_EQ(Run({"import", "in.jsonl", "-c", "first", "--metric", "l2"}).exit_code, 0);
  ASSERT_EQ(Run({"export", "-c", "first", "-o", "first.jsonl"}).exit_code, 0);
  const Ran piped = Run({"export", "-c", "first"});
  EXPECT_EQ(piped.out, Read("first.jsonl"));
  EXPECT_EQ(Run({"export", "-c", "first", "-o", "/dev/stdout"}).out, piped.out);
  const Ran imported =
      Run({"import", "-", "--format", "jsonl", "-c", "second", "--metric", "l2"}, piped.out);
  ASSERT_EQ(imported.exit_code, 0) << imported.error;
  EXPECT_EQ(Run({"export", "-c", "second"}).out, piped.out);
  EXPECT_THAT(piped.out, HasSubstr("9223372036854775807"));
  EXPECT_THAT(piped.out, HasSubstr("18446744073709551615"));
  const Ran slim = Run({"export", "-c", "first", "--without-vectors", "-f", "big exists"});
  EXPECT_EQ(slim.out, "{\"id\":1,\"payload\":{\"big\":9223372036854775807,\"d\":1.0}}\n");
}

TEST_F(VectorsEndToEnd, AnIndexOfFaissGoesOutAndComesInAgain) {
  Write("rows.npy", Npy(3'000));
  const std::vector<std::string> import = {"import",
                                           "rows.npy",
                                           "-c",
                                           "rows",
                                           "--metric",
                                           "l2",
                                           "--start-id",
                                           "7",
                                           "--index",
                                           "faiss",
                                           "--factory",
                                           "IVF16,SQ8",
                                           "--search-parameters",
                                           "nprobe=4"};
  ASSERT_EQ(Run(import).exit_code, 0);
  EXPECT_THAT(Run({"collection", "info", "rows"}).out,
              HasSubstr("faiss IVF16,SQ8, nprobe=4, rerank auto"));
  EXPECT_THAT(Run({"collection", "list"}).out, HasSubstr("4 l2 faiss"));
  const Ran out = Run(
      {"export", "-c", "rows", "--format", "faiss", "--factory", "IVF8,Flat", "-o", "rows.faiss"});
  ASSERT_EQ(out.exit_code, 0) << out.error;
  const Ran in = Run({"import", "rows.faiss", "-c", "copy", "--metric", "l2"});
  ASSERT_EQ(in.exit_code, 0) << in.error;
  EXPECT_EQ(Run({"export", "-c", "copy"}).out, Run({"export", "-c", "rows"}).out);

  EXPECT_EQ(Run({"import", "rows.faiss", "-c", "copy", "--start-id", "1"}).exit_code, 2);
  EXPECT_THAT(Run({"import", "rows.npy", "-c", "x", "--index", "faiss"}).error,
              HasSubstr("--factory"));
  EXPECT_THAT(Run({"export", "-c", "rows", "--factory", "Flat"}).error,
              HasSubstr("--format faiss"));
  EXPECT_THAT(Run({"export", "-c", "rows", "--format", "faiss", "--factory", "PQ3"}).error,
              HasSubstr("divisor of the dimension 4"));
  Write("named.jsonl", R"({"id": "abc", "vector": [1, 2, 3, 4]})");
  ASSERT_EQ(Run({"import", "named.jsonl", "-c", "named"}).exit_code, 0);
  EXPECT_THAT(Run({"export", "-c", "named", "--format", "faiss", "-o", "named.faiss"}).error,
              HasSubstr("point 'abc': an index of FAISS takes integers"));
  Write("bad.faiss", "no index");
  EXPECT_THAT(Run({"import", "bad.faiss", "-c", "copy"}).error, HasSubstr("no index of FAISS"));
}

TEST_F(VectorsEndToEnd, ExportPagesThroughEveryPoint) {
  Write("v.npy", Npy(2'500));
  ASSERT_EQ(RunJson({"import", "v.npy", "-c", "many", "--start-id", "7"})["points"], 2'500);
  const std::string out = Run({"export", "-c", "many", "--without-vectors"}).out;
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2'500);
  EXPECT_THAT(out, HasSubstr("{\"id\":2506,"));
}

TEST_F(VectorsEndToEnd, RefusedPointIsFoundAmongItsBatchAndNamed) {
  std::string lines;
  for (int i = 0; i < 300; ++i) {
    lines +=
        "{\"id\":" + std::to_string(i) + ",\"vector\":" + (i == 117 ? "[1,2]" : "[1,2,3]") + "}\n";
  }
  Write("p.jsonl", lines);
  const Ran ran = Run({"import", "p.jsonl", "-c", "p", "--skip-invalid", "--json"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.json()["points"], 299);
  EXPECT_EQ(ran.json()["failed"], 1);
  EXPECT_THAT(ran.json()["failures"][0].get<std::string>(), HasSubstr("p.jsonl:118"));
  EXPECT_EQ(Json::parse(ran.error)["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(RunJson({"collection", "info", "p"})["points"], 299);
}

TEST_F(VectorsEndToEnd, WrongInputFailsWithFileAndPlaceAndStoresNothingOfIt) {
  Write("short.npy", Npy(3).substr(0, 150));
  const Ran cut = Run({"import", "short.npy", "-c", "x"});
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_THAT(cut.error, HasSubstr("short.npy: byte 128"));
  Write("v.npy", Npy(3));
  Write("two.txt", "1\n2\n");
  const Ran few = Run({"import", "v.npy", "-c", "y", "--ids", "two.txt"});
  EXPECT_EQ(few.exit_code, 1);
  EXPECT_THAT(few.error, HasSubstr("two.txt holds 2 ids"));
  EXPECT_EQ(Run({"import", "missing.npy", "-c", "x"}).exit_code, 1);
  const Ran range = Run({"search", "-c", "y", "--vector-file", "v.npy", "--row", "9"});
  EXPECT_EQ(range.exit_code, 1);
  EXPECT_THAT(range.error, HasSubstr("no row 9"));
  const Ran dimension = Run({"search", "-c", "y", "--vector", "[1]"});
  EXPECT_EQ(dimension.exit_code, 1);
  EXPECT_THAT(dimension.error, HasSubstr("4"));
  EXPECT_EQ(Run({"search", "-c", "absent", "word"}).exit_code, 1);
}

TEST_F(VectorsEndToEnd, ServerStopsOnSigtermWithZeroAndKeepsItsPoints) {
  Write("v.npy", Npy(100));
  ASSERT_EQ(Run({"import", "v.npy", "-c", "kept"}).exit_code, 0);
  const std::string before = Run({"export", "-c", "kept"}).out;
  const Ran stopped = StopServer();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.error;
  EXPECT_THAT(stopped.out, HasSubstr("serves at unix:"));
  StartServer();
  EXPECT_EQ(Run({"export", "-c", "kept"}).out, before);
}

TEST_F(VectorsEndToEnd, ImportGoesOnWhenTheServerIsKilledAndComesBack) {
  // Standard input is a named pipe, so that the import is under way for as long as the test wants.
  const std::string pipe = (folder_.path() / "pipe.jsonl").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::unique_ptr<Child> import =
      Start({"import", pipe, "-c", "points", "--json", "--timeout", "60"});
  std::FILE* writer = std::fopen(pipe.c_str(), "we");
  const auto write = [&](int first, int count) {
    for (int i = first; i < first + count; ++i) {
      std::fprintf(writer, "{\"id\":%d,\"vector\":[%d,1]}\n", i, i);
    }
    std::fflush(writer);
  };
  write(0, 5'000);
  for (int tries = 0; tries < 600; ++tries) {
    const Ran info = Run({"collection", "info", "points", "--json"});
    if (info.exit_code == 0 && info.json()["points"] > 500) break;
    absl::SleepFor(absl::Milliseconds(50));
  }
  KillServer();
  StartServer();
  write(5'000, 1'000);
  std::fclose(writer);
  const Ran ran = import->Wait();
  EXPECT_EQ(ran.exit_code, 0) << ran.error;
  EXPECT_EQ(ran.json()["points"], 6'000);
  EXPECT_EQ(RunJson({"collection", "info", "points"})["points"], 6'000);
}

TEST_F(VectorsEndToEnd, InterruptSaysHowFarItCame) {
  const std::string pipe = (folder_.path() / "pipe.jsonl").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::unique_ptr<Child> import = Start({"import", pipe, "-c", "points"});
  std::FILE* writer = std::fopen(pipe.c_str(), "we");
  for (int i = 0; i < 1'500; ++i) std::fprintf(writer, "{\"id\":%d,\"vector\":[1,1]}\n", i);
  std::fflush(writer);
  for (int tries = 0; tries < 600; ++tries) {
    const Ran info = Run({"collection", "info", "points", "--json"});
    if (info.exit_code == 0 && info.json()["points"] == 1'000) break;
    absl::SleepFor(absl::Milliseconds(50));
  }
  import->Signal(SIGINT);
  // It waits for more of the pipe, which is still open.
  const Ran ran = import->Wait();
  std::fclose(writer);
  EXPECT_EQ(ran.exit_code, 130) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("stored 1,"));
  EXPECT_THAT(ran.error, HasSubstr("run the same command again"));
}

// It exited with 1: the interrupt came back from the read as an ordinary error.
TEST_F(VectorsEndToEnd, InterruptWhileInputIsAwaitedExitsWith130) {
  const std::string pipe = (folder_.path() / "pipe.txt").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::unique_ptr<Child> embed = Start({"embed", "--file", pipe});
  std::FILE* writer = std::fopen(pipe.c_str(), "we");  // Returns once the command has opened it.
  absl::SleepFor(absl::Milliseconds(500));
  embed->Signal(SIGINT);
  const Ran ran = embed->Wait();
  std::fclose(writer);
  EXPECT_EQ(ran.exit_code, 130) << ran.error;
}

TEST_F(VectorsEndToEnd, VerifyLooksThroughTheIndexesOfAStoppedServer) {
  Write("v.npy", Npy(3'000));
  RunJson({"collection", "create", "things", "--dimension", "4", "--metric", "l2"});
  RunJson({"import", "v.npy", "-c", "things"});
  const Ran beside = Run({"verify", "--data-dir", "data"});
  EXPECT_EQ(beside.exit_code, 1);
  EXPECT_THAT(beside.error, HasSubstr("in use by another process"));
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  while (RunJson({"collection", "info", "things"})["vectors"][0]["unindexed"] != 0) {
    ASSERT_LT(absl::Now(), give_up);
  }
  StopServer();

  const Json sound = RunJson({"verify", "--data-dir", "data"});
  EXPECT_EQ(sound["sound"], true);
  const Json index = sound["indexes"][0];
  EXPECT_EQ(index["collection"], "things");
  EXPECT_EQ(index["kind"], "hnsw");
  EXPECT_EQ(index["state"], "sound");
  EXPECT_EQ(index["measures"]["graph_rows"], 3'000);
  const Ran table = Run({"verify", "things", "--data-dir", "data"});
  EXPECT_EQ(table.exit_code, 0) << table.error;
  EXPECT_THAT(table.out, HasSubstr("sound    3,000"));

  const std::string file = index["file"].get<std::string>();
  std::string bytes = Read(file);
  bytes[bytes.size() / 2] ^= 1;
  Write(file, bytes);
  const Ran damaged = Run({"verify", "--data-dir", "data"});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.out, HasSubstr("1 parts that cannot be read; the first: "));
  EXPECT_THAT(damaged.error, HasSubstr("no point is lost"));
  const Ran json = Run({"verify", "--data-dir", "data", "--json"});
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_EQ(json.json()["indexes"][0]["findings"][0]["count"], 1);
  EXPECT_EQ(Run({"verify", "--data-dir", "nowhere"}).exit_code, 1);
}

}  // namespace
}  // namespace vettore
