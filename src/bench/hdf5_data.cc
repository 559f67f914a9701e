#include "bench/hdf5_data.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#ifdef VETTORE_HAS_HDF5
#include <hdf5.h>
#endif

namespace vettore::bench {

#ifdef VETTORE_HAS_HDF5
namespace {

constexpr uint64_t kMostValues = uint64_t{1} << 40;

// An HDF5 identifier and the function that closes its kind. Movable.
class Handle {
 public:
  using CloseFn = herr_t (*)(hid_t);
  Handle(hid_t id, CloseFn close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  CloseFn close_;
};

class Reader {
 public:
  Reader(const std::filesystem::path& path, Handle file) : path_(path), file_(std::move(file)) {}

  bool Has(const char* name) const { return H5Lexists(file_.get(), name, H5P_DEFAULT) > 0; }

  template <typename T>
  absl::StatusOr<Matrix<T>> Read(const char* name) const {
    const Handle set(Has(name) ? H5Dopen2(file_.get(), name, H5P_DEFAULT) : -1, H5Dclose);
    if (!set.ok()) return Malformed(StrCat("wanted a data set '", name, "', found none"));
    const Handle space(H5Dget_space(set.get()), H5Sclose);
    hsize_t shape[2] = {0, 0};
    if (!space.ok() || H5Sget_simple_extent_ndims(space.get()) != 2 ||
        H5Sget_simple_extent_dims(space.get(), shape, nullptr) != 2 || shape[0] == 0 ||
        shape[1] == 0) {
      return Malformed(StrCat("'", name, "': wanted rows of vectors (two dimensions)"));
    }
    // What is stored bounds what is allocated: a damaged header may claim any shape.
    const Handle type(H5Dget_type(set.get()), H5Tclose);
    const uint64_t stored =
        H5Dget_storage_size(set.get()) / std::max<size_t>(1, H5Tget_size(type.get()));
    if (shape[0] > kMostValues / shape[1] || shape[0] * shape[1] > stored * kMostExpansion) {
      return Malformed(StrCat("'", name, "': ", shape[0], " x ", shape[1], " values are claimed, ",
                              stored, " are stored"));
    }
    Matrix<T> matrix{.values = std::vector<T>(shape[0] * shape[1]),
                     .count = static_cast<size_t>(shape[0]),
                     .dim = static_cast<size_t>(shape[1])};
    const hid_t memory_type = std::is_same_v<T, float> ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT32;
    if (H5Dread(set.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, matrix.values.data()) < 0) {
      return Malformed(StrCat("'", name, "': its values cannot be read"));
    }
    return matrix;
  }

  // The file's attribute of that name as text; empty when it has none.
  std::string Attribute(const char* name) const {
    if (H5Aexists(file_.get(), name) <= 0) return "";
    const Handle attribute(H5Aopen(file_.get(), name, H5P_DEFAULT), H5Aclose);
    if (!attribute.ok()) return "";
    const Handle type(H5Aget_type(attribute.get()), H5Tclose);
    if (!type.ok() || H5Tget_class(type.get()) != H5T_STRING) return "";
    if (H5Tis_variable_str(type.get()) > 0) {
      char* text = nullptr;
      if (H5Aread(attribute.get(), type.get(), &text) < 0 || text == nullptr) return "";
      std::string value(text);
      H5free_memory(text);
      return value;
    }
    std::string value(H5Tget_size(type.get()), '\0');
    if (H5Aread(attribute.get(), type.get(), value.data()) < 0) return "";
    return value.substr(0, value.find('\0'));
  }

  absl::Status Malformed(std::string_view what) const {
    return absl::InvalidArgumentError(StrCat(path_.string(), ": ", what));
  }

 private:
  // Of compression.
  static constexpr uint64_t kMostExpansion = 1024;

  const std::filesystem::path& path_;
  const Handle file_;
};

// ann-benchmarks ends the names of its files with the distance: glove-100-angular.hdf5.
absl::StatusOr<Metric> MetricOf(const Reader& reader, const std::filesystem::path& path) {
  std::string name = reader.Attribute("distance");
  if (name.empty()) {
    const std::string stem = path.stem().string();
    name = stem.substr(stem.rfind('-') + 1);
  }
  if (name == "euclidean") return Metric::kL2;
  if (name == "angular") return Metric::kCosine;
  if (name == "dot" || name == "ip") return Metric::kInnerProduct;
  return reader.Malformed(
      StrCat("wanted the distance euclidean, angular or dot, got '", name, "'"));
}

}  // namespace

absl::StatusOr<Hdf5Data> ReadHdf5Data(const std::filesystem::path& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // Errors are told in our own words.
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.ok()) {
    return absl::InvalidArgumentError(
        StrCat(path.string(), ": not an HDF5 file, or it cannot be read"));
  }
  const Reader reader(path, std::move(file));
  Hdf5Data data;
  VETTORE_ASSIGN_OR_RETURN(data.metric, MetricOf(reader, path));
  VETTORE_ASSIGN_OR_RETURN(data.base, reader.Read<float>("train"));
  VETTORE_ASSIGN_OR_RETURN(data.queries, reader.Read<float>("test"));
  if (reader.Has("neighbors")) {
    VETTORE_ASSIGN_OR_RETURN(data.truth, reader.Read<int32_t>("neighbors"));
  }
  return data;
}

#else

absl::StatusOr<Hdf5Data> ReadHdf5Data(const std::filesystem::path& path) {
  return absl::UnimplementedError(
      StrCat(path.string(),
             ": this program was built without HDF5; install libhdf5-dev, configure "
             "and build it again, or convert the file to .npy"));
}

#endif

}  // namespace vettore::bench
