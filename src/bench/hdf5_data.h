// The HDF5 files of ann-benchmarks: data sets "train", "test" and "neighbors".
#pragma once

#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/matrix.h"
#include "types/metric.h"

namespace vettore::bench {

struct Hdf5Data {
  Matrix<float> base;
  Matrix<float> queries;
  Neighbors truth;              // Empty when the file has none.
  Metric metric = Metric::kL2;  // Of the attribute "distance", else of the file's name.
};

// InvalidArgument names the file and what is missing or does not fit. Unimplemented when this
// program was built without the HDF5 library: it is looked for when the build is configured, and
// only this reader uses it, so a server does not need it.
absl::StatusOr<Hdf5Data> ReadHdf5Data(const std::filesystem::path& path);

}  // namespace vettore::bench
