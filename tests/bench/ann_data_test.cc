// Data sets: how they are found, what must fit, what is made of them.
#include "bench/ann_data.h"

#include <cmath>
#include <set>

#include "bench/fixture.h"
#include "bench/synthetic_data.h"
#ifdef VETTORE_HAS_HDF5
#include <hdf5.h>
#endif

namespace vettore::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AnnDataTest : public BenchFiles {
 protected:
  absl::StatusOr<AnnData> Load(const std::string& name, AnnDataOptions options = {}) const {
    options.datasets_directory = folder_.path();
    return LoadAnnData(name, options);
  }
  // Four unit vectors of two dimensions, two queries and their nearest three.
  void WriteSet(const std::string& name) {
    Write(name + "/base.i8.npy", Npy<int8_t>("|i1", "4, 2", {9, 0, 0, 3, -5, 0, 0, -1}));
    Write(name + "/base_labels.u8.npy", Npy<uint8_t>("|u1", "4, 1", {1, 2, 3, 4}));
    Write(name + "/queries_a.i8.npy", Npy<int8_t>("|i1", "1, 2", {7, 1}));
    Write(name + "/gt_a_ids.i32.npy", Npy<int32_t>("<i4", "1, 3", {0, 1, 3}));
  }
};

double Length(std::span<const float> vector) {
  double square = 0;
  for (const float entry : vector) square += static_cast<double>(entry) * entry;
  return std::sqrt(square);
}

TEST_F(AnnDataTest, ADirectoryHoldsBaseQueriesAndAnswers) {
  WriteSet("set");
  for (const std::string& name : {std::string("set"), (folder_ / "set").string() + "/"}) {
    const auto data = Load(name);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ(data->metric, Metric::kL2);
    EXPECT_THAT(data->base.values, ElementsAre(9, 0, 0, 3, -5, 0, 0, -1));
    ASSERT_EQ(data->query_sets.size(), 1u);
    EXPECT_EQ(data->query_sets[0].name, "queries_a");
    EXPECT_THAT(data->query_sets[0].truth.values, ElementsAre(0, 1, 3));
  }
}

TEST_F(AnnDataTest, AnswersInCosinesMakeItCosineAndUnitLength) {
  WriteSet("set");
  Write("set/gt_a_cos.f32.npy", Npy<float>("<f4", "1, 3", {1, 0.5, 0}));
  const auto data = Load("set");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->metric, Metric::kCosine);
  EXPECT_THAT(data->base.values, ElementsAre(1, 0, 0, 1, -1, 0, 0, -1));
  EXPECT_NEAR(Length(data->query_sets[0].vectors.span(0)), 1, 1e-6);
}

TEST_F(AnnDataTest, TexmexCorporaAreRead) {
  Write("siftsmall/siftsmall_base.fvecs", Vecs<float>({{1, 2}, {3, 4}, {5, 6}}));
  Write("siftsmall/siftsmall_learn.fvecs", Vecs<float>({{1, 2}}));
  Write("siftsmall/siftsmall_query.fvecs", Vecs<float>({{5, 5}}));
  Write("siftsmall/siftsmall_groundtruth.ivecs", Vecs<int32_t>({{2, 1}}));
  const auto data = Load("siftsmall");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->base.count, 3u);
  ASSERT_EQ(data->query_sets.size(), 1u);
  EXPECT_THAT(data->query_sets[0].truth.values, ElementsAre(2, 1));
}

TEST_F(AnnDataTest, OfASingleFileRandomRowsBecomeTheQueries) {
  std::vector<std::vector<float>> rows;
  for (int i = 1; i <= 50; ++i) rows.push_back({static_cast<float>(i), 1});
  const std::string file = Write("mine.fvecs", Vecs<float>(rows)).string();
  const auto data = Load(file, {.metric = Metric::kL2, .query_count = 4});
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->base.count, 46u);
  ASSERT_EQ(data->query_sets.size(), 1u);
  EXPECT_EQ(data->query_sets[0].vectors.count, 4u);
  // No vector is lost, and none is both.
  std::set<float> seen;
  for (size_t i = 0; i < 46; ++i) seen.insert(data->base.row(i)[0]);
  for (size_t i = 0; i < 4; ++i) seen.insert(data->query_sets[0].vectors.row(i)[0]);
  EXPECT_EQ(seen.size(), 50u);
  // At most a tenth of a small file.
  EXPECT_EQ(Load(file)->query_sets[0].vectors.count, 5u);
  EXPECT_EQ(Load(file)->metric, Metric::kCosine);
}

TEST_F(AnnDataTest, QueriesMetricAndSizeCanBeGiven) {
  WriteSet("set");
  const std::string queries = Write("other.fvecs", Vecs<float>({{1, 1}, {2, 2}})).string();
  auto data = Load("set", {.queries = queries});
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->query_sets[0].name, "other");
  EXPECT_EQ(data->query_sets[0].truth.count, 0u);
  // The answers that came with it hold neither for another metric nor for a part.
  data = Load("set", {.metric = Metric::kInnerProduct});
  EXPECT_EQ(data->query_sets[0].truth.count, 0u);
  data = Load("set", {.limit = 3});
  EXPECT_EQ(data->base.count, 3u);
  EXPECT_EQ(data->query_sets[0].truth.count, 0u);
  data = Load("set", {.limit = 4});
  EXPECT_EQ(data->query_sets[0].truth.count, 1u);
}

TEST_F(AnnDataTest, MissingAnswersAreComputed) {
  WriteSet("set");
  auto data = Load("set");
  ASSERT_TRUE(EnsureTruth(*data, 3, {}, "").ok());
  EXPECT_THAT(data->query_sets[0].truth.values, ElementsAre(0, 1, 3));  // As it came.
  ASSERT_TRUE(EnsureTruth(*data, 4, {}, "").ok());
  EXPECT_THAT(data->query_sets[0].truth.values, ElementsAre(0, 1, 3, 2));
  const absl::Status status = EnsureTruth(*data, 5, {}, "");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("k is 5, the base has only 4 vectors"));
}

TEST_F(AnnDataTest, WhatDoesNotFitIsSaid) {
  WriteSet("set");
  const std::string wide = Write("wide.fvecs", Vecs<float>({{1, 2, 3}})).string();
  ExpectInvalid(Load("set", {.queries = wide}), {"wide have dimension 3, the base has 2"});
  const std::string zero = Write("zero.fvecs", Vecs<float>({{1, 2}, {0, 0}})).string();
  ExpectInvalid(Load(zero, {.queries = zero}), {"row 1"});
  const std::string one = Write("one.fvecs", Vecs<float>({{1, 2}})).string();
  ExpectInvalid(Load(one), {"no vectors are left"});
  Write("set/gt_a_ids.i32.npy", Npy<int32_t>("<i4", "1, 3", {0, 1, 4}));
  ExpectInvalid(Load("set"), {"name row 4, the base has 4"});
  Write("set/gt_a_ids.i32.npy", Npy<int32_t>("<i4", "2, 1", {0, 1}));
  ExpectInvalid(Load("set"), {"queries_a are 1, their exact answers 2"});
  ExpectInvalid(Load(Write("a.csv", "1,2\n").string()), {"a.csv", "wanted a .npy"});
}

TEST_F(AnnDataTest, WhereWasLookedIsSaid) {
  const auto absent = Load("absent");
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(absent.status().message()), HasSubstr("synth384, synth1m, synth768"));
  EXPECT_THAT(std::string(absent.status().message()), HasSubstr(folder_.path().string()));
  Write("empty/readme.txt", "x");
  const auto empty = Load("empty");
  EXPECT_EQ(empty.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(empty.status().message()), HasSubstr("wanted a file base.*"));
}

#ifdef VETTORE_HAS_HDF5
class Hdf5Test : public AnnDataTest {
 protected:
  void Open(const std::string& name) {
    path_ = (folder_ / name).string();
    file_ = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  template <typename T>
  void Put(const char* name, hid_t type, std::vector<hsize_t> shape, const std::vector<T>& values) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set = H5Dcreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set);
    H5Sclose(space);
  }
  // As h5py writes it: of variable length.
  void PutDistance(const char* value) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(file_, "distance", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, &value);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  }
  absl::StatusOr<AnnData> Close() {
    H5Fclose(file_);
    return Load(path_);
  }
  void PutVectors() {
    Put<double>("train", H5T_NATIVE_DOUBLE, {3, 2}, {2, 0, 0, 2, -1, 0});
    Put<float>("test", H5T_NATIVE_FLOAT, {1, 2}, {1, 0});
  }

  std::string path_;
  hid_t file_ = -1;
};

TEST_F(Hdf5Test, FilesOfAnnBenchmarksAreRead) {
  Open("toy.hdf5");
  PutVectors();
  Put<int64_t>("neighbors", H5T_NATIVE_INT64, {1, 2}, {0, 1});
  PutDistance("angular");
  const auto data = Close();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->name, "toy");
  EXPECT_EQ(data->metric, Metric::kCosine);
  EXPECT_THAT(data->base.values, ElementsAre(1, 0, 0, 1, -1, 0));
  EXPECT_THAT(data->query_sets[0].truth.values, ElementsAre(0, 1));
}

TEST_F(Hdf5Test, TheNameSaysTheDistanceWhereTheFileDoesNot) {
  Open("toy-2-euclidean.hdf5");
  PutVectors();
  const auto data = Close();
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->metric, Metric::kL2);
  EXPECT_EQ(data->query_sets[0].truth.count, 0u);
}

TEST_F(Hdf5Test, WhatIsWrongWithAFileIsSaid) {
  Open("toy-jaccard.hdf5");
  PutVectors();
  ExpectInvalid(Close(), {"wanted the distance euclidean, angular or dot, got 'jaccard'"});
  Open("toy-angular.hdf5");
  Put<float>("train", H5T_NATIVE_FLOAT, {2, 1}, {1, 2});
  ExpectInvalid(Close(), {"wanted a data set 'test'"});
  Open("flat-angular.hdf5");
  Put<float>("train", H5T_NATIVE_FLOAT, {2}, {1, 2});
  ExpectInvalid(Close(), {"'train': wanted rows of vectors"});
  ExpectInvalid(Load(Write("a.hdf5", "no").string()), {"not an HDF5 file"});
}
#endif

TEST(SyntheticData, IsClusteredOfUnitLengthAndTheSameEachTime) {
  const SyntheticRecipe recipe{
      .name = "small", .count = 2'000, .dim = 24, .centres = 20, .latent_dim = 8, .seed = 5};
  const SyntheticData data = Generate(recipe, 50);
  EXPECT_EQ(data.base.count, 2'000u);
  EXPECT_EQ(data.queries.count, 50u);
  for (size_t i = 0; i < data.base.count; ++i) {
    ASSERT_NEAR(Length(data.base.span(i)), 1, 1e-5);
  }
  EXPECT_EQ(Generate(recipe, 50).base.values, data.base.values);
  // The base does not depend on how many queries are drawn after it.
  EXPECT_EQ(Generate(recipe, 3).base.values, data.base.values);
  SyntheticRecipe other = recipe;
  other.seed = 6;
  EXPECT_NE(Generate(other, 50).base.values, data.base.values);
}

TEST(SyntheticData, HasTheNamedRecipes) {
  const SyntheticRecipe* const recipe = FindSyntheticRecipe("synth1m");
  ASSERT_NE(recipe, nullptr);
  EXPECT_EQ(recipe->count, 1'000'000u);
  EXPECT_EQ(recipe->dim, 128u);
  EXPECT_EQ(recipe->seed, 777u);
  EXPECT_EQ(FindSyntheticRecipe("synth"), nullptr);
}

}  // namespace
}  // namespace vettore::bench
