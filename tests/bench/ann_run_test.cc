// The benchmark itself, over a small generated set.
#include "bench/ann_run.h"

#include "bench/fixture.h"
#include "bench/synthetic_data.h"

namespace vettore::bench {
namespace {

using testing::HasSubstr;

AnnData SmallData() {
  SyntheticData made = Generate(
      {.name = "small", .count = 3'000, .dim = 16, .centres = 30, .latent_dim = 8, .seed = 5}, 60);
  AnnData data{.name = "small", .metric = Metric::kCosine, .base = std::move(made.base)};
  data.query_sets.push_back({.name = "queries", .vectors = std::move(made.queries)});
  EXPECT_TRUE(EnsureTruth(data, 10, {}, "").ok());
  return data;
}

std::vector<Json> Measured(const AnnData& data, const AnnOptions& options) {
  std::vector<Json> lines;
  const AnnEvents events{.on_result = [&](const Json& line) { lines.push_back(line); }};
  const absl::Status status = RunAnn(data, options, events, CancelToken());
  EXPECT_TRUE(status.ok()) << status;
  return lines;
}

TEST(AnnRun, MeasuresEveryKindSettingAndNumberOfThreads) {
  const std::vector<Json> lines =
      Measured(SmallData(), {.ef_search = {10, 200}, .threads = {1, 2}, .repeats = 2});
  ASSERT_EQ(lines.size(), 6u);  // hnsw: 2 x 2, flat: 2.
  for (const Json& line : lines) {
    for (const char* field : {"recall", "qps", "wall_qps", "p50_us", "p99_us", "build_s",
                              "build_cpu_s", "ram_bytes_per_vector"}) {
      EXPECT_GT(line[field].get<double>(), 0) << field << " of " << line;
    }
    EXPECT_LE(line["qps_min"], line["qps"]);
    EXPECT_LE(line["qps"], line["qps_max"]);
    EXPECT_LE(line["p50_us"], line["p99_us"]);
    EXPECT_EQ(line["suite"], "ann");
    EXPECT_EQ(line["vectors"], 3'000);
    EXPECT_EQ(line["metric"], "cosine");
    for (const char* field : {"cpu", "isa", "commit", "preset"}) {
      EXPECT_NE(line[field].get<std::string>(), "") << field;
    }
  }
  EXPECT_EQ(lines[0]["parameters"], Json({{"m", 16}, {"ef_construction", 128}, {"ef_search", 10}}));
  EXPECT_EQ(lines[2]["threads"], 2);
  EXPECT_LT(lines[0]["recall"], lines[1]["recall"]);
  EXPECT_GT(lines[1]["recall"], 0.99);
  EXPECT_EQ(lines[4]["system"], "vettore-flat");
  EXPECT_EQ(lines[4]["recall"], 1);
}

TEST(AnnRun, ABatchFindsWhatItsQueriesFindAlone) {
  const AnnData data = SmallData();
  AnnOptions options{.ef_search = {40}, .build_threads = 1, .repeats = 1};
  const std::vector<Json> alone = Measured(data, options);
  options.batch = 7;
  options.threads = {1, 2};
  const std::vector<Json> together = Measured(data, options);
  ASSERT_EQ(together.size(), 4u);
  for (size_t i = 0; i < together.size(); ++i) {
    // Each is of a graph of its own, whose codes depend on what was there when it began.
    EXPECT_NEAR(together[i]["recall"].get<double>(), alone[i / 2]["recall"].get<double>(), 0.03);
    EXPECT_EQ(together[i]["batch"], 7);
    EXPECT_EQ(alone[i / 2]["batch"], 1);
  }
}

TEST(AnnRun, OptionsOutOfRangeAreRefusedWithTheRange) {
  const std::vector<std::pair<AnnOptions, std::string>> cases = {
      {{.kinds = {"hnsw", "tree"}}, "--kinds: wanted hnsw, flat, ivf or faiss:FACTORY, got 'tree'"},
      {{.kinds = {"faiss:"}}, "got 'faiss:'"},
      {{.ef_search = {0}}, "--ef-search: wanted 1 to 4096, got 0"},
      {{.ef_search = {5'000}}, "got 5000"},
      {{.nprobe = {0}}, "--nprobe: wanted 1 to"},
      {{.nlist = 70'000}, "--nlist: wanted 0 to 65536, got 70000"},
      {{.m = 2}, "--m: wanted 4 to 128, got 2"},
      {{.m = 16, .ef_construction = 15}, "--ef-construction: wanted 16 to 4096, got 15"},
      {{.k = 0}, "-k: wanted 1 to 10000, got 0"},
      {{.threads = {0}}, "--threads: wanted 1 to 1024, got 0"},
      {{.batch = 0}, "--batch: wanted 1 to 100000, got 0"},
      {{.repeats = 0}, "--repeats: wanted 1 to 1000, got 0"},
  };
  for (const auto& [options, part] : cases) {
    const absl::Status status = ValidateAnnOptions(options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  }
  EXPECT_TRUE(ValidateAnnOptions({}).ok());
}

TEST(AnnRun, MeasuresListsAndIndexesOfFaissByTheirOwnSweeps) {
  AnnOptions options{.kinds = {"ivf", "faiss:IVF16,SQ8", "faiss:HNSW8", "faiss:SQ8"},
                     .ef_search = {10, 100},
                     .nprobe = {1, 16, 4'096},
                     .ivf_encodings = {IvfEncoding::kFlat, IvfEncoding::kPq4},
                     .nlist = 16,
                     .repeats = 1};
  const std::vector<Json> lines = Measured(SmallData(), options);
  // 16 lists have no 4,096 to probe; how many FAISS has is its own business.
  ASSERT_EQ(lines.size(), 2U + 2 + 3 + 2 + 1);
  EXPECT_EQ(lines[0]["system"], "vettore-ivf-flat");
  EXPECT_EQ(lines[0]["parameters"], Json({{"nlist", 16}, {"nprobe", 1}}));
  EXPECT_LT(lines[0]["recall"], lines[1]["recall"]);
  EXPECT_EQ(lines[1]["recall"], 1);  // All lists.
  EXPECT_EQ(lines[2]["system"], "vettore-ivf-pq4");
  EXPECT_EQ(lines[4]["system"], "vettore-faiss-IVF16,SQ8");
  EXPECT_LT(lines[4]["recall"], lines[5]["recall"]);
  EXPECT_EQ(lines[7]["parameters"], Json({{"ef_search", 10}}));
  EXPECT_LE(lines[7]["recall"], lines[8]["recall"]);
  EXPECT_EQ(lines[9]["parameters"], Json::object());
  for (const Json& line : lines) EXPECT_GT(line["qps"], 0);
}

TEST(AnnRun, AnIndexThatCannotBeOfTheDataIsRefused) {
  const AnnEvents events{.on_result = [](const Json&) { FAIL() << "nothing was measured"; }};
  for (const char* kind : {"faiss:PQ7", "faiss:Nothing"}) {  // Of 16 dimensions.
    const absl::Status status = RunAnn(SmallData(), {.kinds = {kind}}, events, CancelToken());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("vettore-faiss"));
  }
}

TEST(AnnRun, StopsWhenItIsCancelled) {
  const CancelToken gone(absl::InfiniteFuture(), [] { return true; });
  const AnnEvents events{.on_result = [](const Json&) { FAIL() << "nothing was measured"; }};
  EXPECT_EQ(RunAnn(SmallData(), {}, events, gone).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace vettore::bench
