#include "bench/faiss_file.h"

#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>
#include <faiss/VectorTransform.h>
#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <faiss/invlists/InvertedLists.h>

#include <limits>
#include <utility>

#include "base/exceptions.h"
#include "base/status.h"
#include "base/strings.h"
#include "types/faiss_factory.h"

namespace vettore::bench {
namespace {

// Reads an index through its layers: an id map, a refinement, transforms, and the index that holds
// the vectors.
class LayeredReader : public FaissFileReader {
 public:
  LayeredReader(std::string name, std::unique_ptr<faiss::Index> index)
      : name_(std::move(name)), index_(std::move(index)), core_(index_.get()) {
    if (const auto* const map = dynamic_cast<const faiss::IndexIDMap*>(core_)) {
      ids_ = &map->id_map;
      core_ = map->index;
    }
    // What refines is nearer to what was added.
    if (const auto* const refined = dynamic_cast<const faiss::IndexRefine*>(core_)) {
      core_ = refined->refine_index;
    }
    if (const auto* const transformed = dynamic_cast<const faiss::IndexPreTransform*>(core_)) {
      transforms_ = transformed;
      core_ = transformed->index;
    }
    ivf_ = dynamic_cast<const faiss::IndexIVF*>(core_);
  }

  size_t dim() const override { return static_cast<size_t>(index_->d); }
  size_t count() const override { return static_cast<size_t>(core_->ntotal); }
  uint64_t id() const override { return id_; }

  absl::StatusOr<bool> Next(std::vector<float>& vector) override {
    if (next_ == count()) return false;
    vector.resize(dim());
    std::vector<float> inner(transforms_ == nullptr ? 0 : static_cast<size_t>(core_->d));
    float* const out = transforms_ == nullptr ? vector.data() : inner.data();
    const auto read = [&]() -> absl::Status {
      int64_t number = static_cast<int64_t>(next_);
      if (ivf_ == nullptr) {
        core_->reconstruct(number, out);
      } else {
        VETTORE_RETURN_IF_ERROR(FindInLists(number));
        ivf_->reconstruct_from_offset(static_cast<int64_t>(list_), static_cast<int64_t>(offset_),
                                      out);
        ++offset_;
      }
      if (transforms_ != nullptr) transforms_->reverse_chain(1, inner.data(), vector.data());
      return SetId(number);
    };
    const absl::Status status = CatchExceptions("have its vectors from FAISS", read);
    if (absl::IsInternal(status)) {
      return absl::InvalidArgumentError(StrCat(
          name_,
          ": the kind of index in it does not give back its vectors: ", StdView(status.message())));
    }
    VETTORE_RETURN_IF_ERROR(status);
    ++next_;
    return true;
  }

 private:
  // The next vector of the lists, and its id within them.
  absl::Status FindInLists(int64_t& number) {
    while (list_ < ivf_->nlist && offset_ >= ivf_->invlists->list_size(list_)) {
      ++list_;
      offset_ = 0;
    }
    if (list_ >= ivf_->nlist) {
      return absl::InvalidArgumentError(
          StrCat(name_, ": its lists hold ", next_, " vectors, it says ", count()));
    }
    number = ivf_->invlists->get_single_id(list_, offset_);
    return absl::OkStatus();
  }

  absl::Status SetId(int64_t number) {
    if (ids_ != nullptr) {
      if (number < 0 || static_cast<size_t>(number) >= ids_->size()) {
        return absl::InvalidArgumentError(StrCat(name_, ": vector ", number, " has no id"));
      }
      number = (*ids_)[static_cast<size_t>(number)];
    }
    if (number < 0) {
      return absl::InvalidArgumentError(
          StrCat(name_, ": the id ", number, ": points have ids from 0 on"));
    }
    id_ = static_cast<uint64_t>(number);
    return absl::OkStatus();
  }

  const std::string name_;
  const std::unique_ptr<faiss::Index> index_;
  const faiss::Index* core_;
  const std::vector<faiss::Index::idx_t>* ids_ = nullptr;
  const faiss::IndexPreTransform* transforms_ = nullptr;
  const faiss::IndexIVF* ivf_ = nullptr;
  size_t next_ = 0;
  size_t list_ = 0;
  size_t offset_ = 0;
  uint64_t id_ = 0;
};

class CallingWriter : public faiss::IOWriter {
 public:
  explicit CallingWriter(absl::FunctionRef<absl::Status(std::string_view)> write) : write_(write) {}
  size_t operator()(const void* data, size_t size, size_t items) override {
    status_ = write_({static_cast<const char*>(data), size * items});
    return status_.ok() ? items : 0;
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::FunctionRef<absl::Status(std::string_view)> write_;
  absl::Status status_;
};

class CollectingWriter : public FaissFileWriter {
 public:
  explicit CollectingWriter(std::unique_ptr<faiss::Index> index) : index_(std::move(index)) {}

  absl::Status Add(uint64_t id, std::span<const float> vector) override {
    if (id > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return absl::InvalidArgumentError(
          StrCat("point ", id, ": FAISS's ids end at ", std::numeric_limits<int64_t>::max()));
    }
    VETTORE_CHECK(vector.size() == static_cast<size_t>(index_->d));
    ids_.push_back(static_cast<int64_t>(id));
    vectors_.insert(vectors_.end(), vector.begin(), vector.end());
    return absl::OkStatus();
  }

  absl::Status Finish(absl::FunctionRef<absl::Status(std::string_view)> write) override {
    CallingWriter writer(write);
    const absl::Status status = CatchExceptions("make an index of FAISS", [&]() -> absl::Status {
      const auto count = static_cast<faiss::Index::idx_t>(ids_.size());
      if (!index_->is_trained) index_->train(count, vectors_.data());
      faiss::IndexIDMap2 map(index_.get());
      map.add_with_ids(count, vectors_.data(), ids_.data());
      faiss::write_index(&map, &writer);
      return absl::OkStatus();
    });
    if (!writer.status().ok()) return writer.status();
    return absl::IsInternal(status) ? absl::InvalidArgumentError(status.message()) : status;
  }

 private:
  const std::unique_ptr<faiss::Index> index_;
  std::vector<faiss::Index::idx_t> ids_;
  std::vector<float> vectors_;  // (count, dim)
};

}  // namespace

absl::StatusOr<std::unique_ptr<FaissFileReader>> FaissFileReader::Open(
    const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::NotFoundError(StrCat(path.string(), ": there is no such file"));
  }
  auto opened =
      CatchExceptions("read it", [&]() -> absl::StatusOr<std::unique_ptr<FaissFileReader>> {
        std::unique_ptr<faiss::Index> index(faiss::read_index(path.c_str()));
        return std::make_unique<LayeredReader>(path.string(), std::move(index));
      });
  if (!absl::IsInternal(opened.status())) return opened;
  return absl::InvalidArgumentError(StrCat(path.string(),
                                           ": no index of FAISS, or of a kind that FAISS 1.7.3 "
                                           "does not know: ",
                                           StdView(opened.status().message())));
}

absl::StatusOr<std::unique_ptr<FaissFileWriter>> FaissFileWriter::Make(std::string_view factory,
                                                                       uint32_t dimension,
                                                                       Metric metric) {
  VETTORE_RETURN_IF_ERROR(ParseFaissFactory(factory, dimension).status());
  auto made = CatchExceptions("make it", [&]() -> absl::StatusOr<std::unique_ptr<FaissFileWriter>> {
    std::unique_ptr<faiss::Index> index(faiss::index_factory(
        static_cast<int>(dimension), std::string(factory).c_str(),
        metric == Metric::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT));
    return std::make_unique<CollectingWriter>(std::move(index));
  });
  if (!absl::IsInternal(made.status())) return made;
  return absl::InvalidArgumentError(
      StrCat("faiss: '", factory, "': FAISS refuses: ", StdView(made.status().message())));
}

}  // namespace vettore::bench
