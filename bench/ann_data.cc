// Finds and reads the files of a benchmark data set.
#include "bench/ann_data.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "types/vector.h"

namespace vettore::bench {
namespace {

namespace fs = std::filesystem;

// The .npy files whose name begins so, in order.
std::vector<fs::path> Files(const fs::path& directory, std::string_view beginning) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(beginning) && name.ends_with(".npy")) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

absl::StatusOr<fs::path> OneFile(const fs::path& directory, std::string_view beginning) {
  const std::vector<fs::path> found = Files(directory, beginning);
  if (found.size() == 1) return found.front();
  return absl::NotFoundError(StrCat(directory.string(), ": wanted one ", beginning, "*.npy, found ",
                                    found.size(), "; bench/prepare-data unpacks data sets"));
}

absl::Status Normalize(Matrix<float>& matrix, std::string_view where) {
  for (size_t i = 0; i < matrix.count; ++i) {
    VETTORE_RETURN_IF_ERROR(
        NormalizeVector({matrix.values.data() + i * matrix.dim, matrix.dim}, where));
  }
  return absl::OkStatus();
}

absl::Status CheckShapes(const AnnData& data, const QuerySet& set) {
  const bool fits = set.vectors.dim == data.base.dim && set.truth.count == set.vectors.count &&
                    std::all_of(set.truth.values.begin(), set.truth.values.end(), [&](int32_t id) {
                      return id >= 0 && static_cast<size_t>(id) < data.base.count;
                    });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(data.name, ": the vectors and answers of ", set.name,
                                           " do not fit the base of ", data.base.count, " x ",
                                           data.base.dim));
}

}  // namespace

absl::StatusOr<AnnData> ReadAnnData(const fs::path& directory) {
  AnnData data;
  data.name = directory.filename().string();
  VETTORE_ASSIGN_OR_RETURN(const fs::path base, OneFile(directory, "base."));
  VETTORE_ASSIGN_OR_RETURN(data.base, ReadVectors(base));
  for (const fs::path& queries : Files(directory, "queries")) {
    QuerySet set;
    const std::string file = queries.filename().string();
    set.name = file.substr(0, file.find('.'));
    const std::string truth = StrCat("gt", set.name.substr(std::string("queries").size()));
    VETTORE_ASSIGN_OR_RETURN(set.vectors, ReadVectors(queries));
    VETTORE_ASSIGN_OR_RETURN(const fs::path ids, OneFile(directory, StrCat(truth, "_ids.")));
    VETTORE_ASSIGN_OR_RETURN(set.truth, ReadIds(ids));
    VETTORE_RETURN_IF_ERROR(CheckShapes(data, set));
    if (!Files(directory, StrCat(truth, "_cos.")).empty()) data.metric = Metric::kCosine;
    data.query_sets.push_back(std::move(set));
  }
  if (data.metric == Metric::kCosine) {
    VETTORE_RETURN_IF_ERROR(Normalize(data.base, "base"));
    for (QuerySet& set : data.query_sets) {
      VETTORE_RETURN_IF_ERROR(Normalize(set.vectors, set.name));
    }
  }
  return data;
}

}  // namespace vettore::bench
