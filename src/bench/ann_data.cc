#include "bench/ann_data.h"

#include <algorithm>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "bench/byte_source.h"
#include "bench/hdf5_data.h"
#include "bench/synthetic_data.h"
#include "bench/truth_cache.h"
#include "bench/vector_file.h"
#include "types/vector.h"

namespace vettore::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kHoldOutSeed = 1;
constexpr std::string_view kQueries = "queries";

// The files of a directory that hold vectors or row numbers, by name.
std::vector<fs::path> VectorFiles(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (IsVectorFile(entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// The name up to its first dot: "base", "queries_nq", "sift_base".
std::string StemOf(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.substr(0, name.find('.'));
}

// The file whose stem is so, nullopt when there is none.
std::optional<fs::path> FindStem(const std::vector<fs::path>& files, std::string_view stem) {
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const auto& f) { return StemOf(f) == stem; });
  if (found == files.end()) return std::nullopt;
  return *found;
}

// The files of a set in a directory.
struct DirectoryLayout {
  struct Queries {
    std::string name;
    fs::path file;
    std::optional<fs::path> truth;
    bool is_cosine = false;
  };
  std::optional<fs::path> base;
  std::vector<Queries> queries;
};

DirectoryLayout LayoutOf(const fs::path& directory) {
  const std::vector<fs::path> files = VectorFiles(directory);
  DirectoryLayout layout{.base = FindStem(files, "base"), .queries = {}};
  for (const fs::path& file : files) {
    const std::string stem = StemOf(file);
    if (stem.starts_with(kQueries)) {
      const std::string gt = StrCat("gt", stem.substr(kQueries.size()));
      layout.queries.push_back({.name = stem,
                                .file = file,
                                .truth = FindStem(files, gt + "_ids"),
                                .is_cosine = FindStem(files, gt + "_cos").has_value()});
    } else if (stem.ends_with("_query")) {
      const std::string corpus = stem.substr(0, stem.size() - std::string_view("_query").size());
      layout.queries.push_back({.name = stem,
                                .file = file,
                                .truth = FindStem(files, corpus + "_groundtruth"),
                                .is_cosine = false});
      if (!layout.base) layout.base = FindStem(files, corpus + "_base");
    }
  }
  return layout;
}

absl::StatusOr<AnnData> ReadDirectory(const fs::path& directory) {
  const DirectoryLayout layout = LayoutOf(directory);
  if (!layout.base) {
    return absl::NotFoundError(
        StrCat(directory.string(), ": wanted a file base.* or *_base.* of vectors, found none"));
  }
  AnnData data;
  data.name = fs::weakly_canonical(directory).filename().string();
  VETTORE_ASSIGN_OR_RETURN(data.base, ReadVectors(*layout.base));
  for (const DirectoryLayout::Queries& queries : layout.queries) {
    QuerySet set{.name = queries.name};
    VETTORE_ASSIGN_OR_RETURN(set.vectors, ReadVectors(queries.file));
    if (queries.truth) {
      VETTORE_ASSIGN_OR_RETURN(set.truth, ReadNeighbors(*queries.truth));
    }
    if (queries.is_cosine) data.metric = Metric::kCosine;
    data.query_sets.push_back(std::move(set));
  }
  return data;
}

absl::StatusOr<AnnData> ReadHdf5(const fs::path& path) {
  VETTORE_ASSIGN_OR_RETURN(Hdf5Data file, ReadHdf5Data(path));
  AnnData data{.name = path.stem().string(), .metric = file.metric, .base = std::move(file.base)};
  data.query_sets.push_back({.name = std::string(kQueries),
                             .vectors = std::move(file.queries),
                             .truth = std::move(file.truth)});
  return data;
}

// Moves `count` random rows of the base into a set of queries.
void HoldOut(AnnData& data, size_t count) {
  std::mt19937_64 random(kHoldOutSeed);
  const size_t dim = data.base.dim;
  Matrix<float> queries{.count = count, .dim = dim};
  for (size_t i = 0; i < count; ++i) {
    // The row is given up to the base's last one.
    const size_t row = random() % data.base.count;
    const size_t last = data.base.count - 1;
    float* const values = data.base.values.data();
    queries.values.insert(queries.values.end(), values + row * dim, values + (row + 1) * dim);
    if (row != last) std::copy_n(values + last * dim, dim, values + row * dim);
    data.base.count = last;
    data.base.values.resize(last * dim);
  }
  data.query_sets.push_back({.name = "held-out", .vectors = std::move(queries)});
}

absl::StatusOr<AnnData> ReadSingleFile(const fs::path& path) {
  if (!IsVectorFile(path)) {
    return absl::InvalidArgumentError(StrCat(
        path.string(), ": wanted a .npy, .fvecs, .bvecs, .ivecs (.zst may follow) or .hdf5 file"));
  }
  AnnData data;
  const std::string name = path.filename().string();
  data.name = name.substr(0, name.find('.'));
  data.metric = Metric::kCosine;
  VETTORE_ASSIGN_OR_RETURN(data.base, ReadVectors(path));
  return data;
}

absl::StatusOr<AnnData> GenerateData(const SyntheticRecipe& recipe, size_t queries) {
  SyntheticData made = Generate(recipe, queries);
  AnnData data{
      .name = std::string(recipe.name), .metric = Metric::kCosine, .base = std::move(made.base)};
  data.query_sets.push_back({.name = std::string(kQueries), .vectors = std::move(made.queries)});
  return data;
}

absl::StatusOr<AnnData> Find(const std::string& spec, const AnnDataOptions& options) {
  if (const SyntheticRecipe* recipe = FindSyntheticRecipe(spec)) {
    return GenerateData(*recipe, options.query_count);
  }
  std::error_code error;
  if (fs::is_directory(spec, error)) return ReadDirectory(spec);
  if (fs::exists(spec, error)) {
    const std::string extension = DataExtension(spec);
    if (extension == ".hdf5" || extension == ".h5") return ReadHdf5(spec);
    return ReadSingleFile(spec);
  }
  const fs::path named = options.datasets_directory / spec;
  if (!options.datasets_directory.empty() && fs::is_directory(named, error)) {
    return ReadDirectory(named);
  }
  std::string generated;
  for (const SyntheticRecipe& recipe : SyntheticRecipes()) {
    StrAppend(&generated, generated.empty() ? "" : ", ", recipe.name);
  }
  return absl::NotFoundError(StrCat(
      "no data set '", spec, "': it is no file, no directory, none of the generated ", generated,
      options.datasets_directory.empty()
          ? std::string("; VETTORE_DATASETS_DIR is not set")
          : StrCat(", and not in ", options.datasets_directory.string())));
}

void Limit(AnnData& data, size_t rows) {
  if (rows >= data.base.count) return;
  data.base.count = rows;
  data.base.values.resize(rows * data.base.dim);
  for (QuerySet& set : data.query_sets) set.truth = {};
}

absl::Status CheckShapes(const AnnData& data, const QuerySet& set) {
  if (set.vectors.dim != data.base.dim) {
    return absl::InvalidArgumentError(StrCat(data.name, ": ", set.name, " have dimension ",
                                             set.vectors.dim, ", the base has ", data.base.dim));
  }
  if (set.truth.count == 0) return absl::OkStatus();
  if (set.truth.count != set.vectors.count) {
    return absl::InvalidArgumentError(StrCat(data.name, ": ", set.name, " are ", set.vectors.count,
                                             ", their exact answers ", set.truth.count));
  }
  for (const int32_t row : set.truth.values) {
    if (row >= 0 && static_cast<size_t>(row) < data.base.count) continue;
    return absl::InvalidArgumentError(StrCat(data.name, ": the exact answers of ", set.name,
                                             " name row ", row, ", the base has ",
                                             data.base.count));
  }
  return absl::OkStatus();
}

absl::Status Normalize(Matrix<float>& matrix, const std::string& where) {
  for (size_t i = 0; i < matrix.count; ++i) {
    VETTORE_RETURN_IF_ERROR(NormalizeVector({matrix.values.data() + i * matrix.dim, matrix.dim},
                                            StrCat(where, ", row ", i)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AnnData> LoadAnnData(const std::string& spec, const AnnDataOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(AnnData data, Find(spec, options));
  if (options.metric && *options.metric != data.metric) {
    data.metric = *options.metric;
    for (QuerySet& set : data.query_sets) set.truth = {};
  }
  if (!options.queries.empty()) {
    data.query_sets.clear();
    QuerySet set{.name = StemOf(options.queries)};
    VETTORE_ASSIGN_OR_RETURN(set.vectors, ReadVectors(options.queries));
    data.query_sets.push_back(std::move(set));
  }
  if (data.query_sets.empty()) {
    HoldOut(data, std::min(options.query_count, std::max<size_t>(1, data.base.count / 10)));
  }
  if (options.limit) Limit(data, *options.limit);
  if (data.base.count == 0) {
    return absl::InvalidArgumentError(StrCat(data.name, ": no vectors are left for the base"));
  }
  for (const QuerySet& set : data.query_sets) VETTORE_RETURN_IF_ERROR(CheckShapes(data, set));
  if (data.metric == Metric::kCosine) {
    VETTORE_RETURN_IF_ERROR(Normalize(data.base, StrCat(data.name, ", base")));
    for (QuerySet& set : data.query_sets) {
      VETTORE_RETURN_IF_ERROR(Normalize(set.vectors, StrCat(data.name, ", ", set.name)));
    }
  }
  return data;
}

absl::Status EnsureTruth(AnnData& data, size_t k, const TruthRun& run,
                         const std::filesystem::path& directory) {
  if (k > data.base.count) {
    return absl::InvalidArgumentError(
        StrCat(data.name, ": k is ", k, ", the base has only ", data.base.count, " vectors"));
  }
  for (QuerySet& set : data.query_sets) {
    if (set.truth.dim >= k) continue;
    set.truth = CachedTruth(
        {.base = data.base, .queries = set.vectors, .metric = data.metric, .k = k}, run, directory);
  }
  return absl::OkStatus();
}

}  // namespace vettore::bench
