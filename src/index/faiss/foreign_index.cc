// What includes FAISS's headers.
#include "index/faiss/foreign_index.h"

#include <cblas.h>
#include <faiss/AutoTune.h>
#include <faiss/IndexFastScan.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFFastScan.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <algorithm>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/exceptions.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore {
namespace {

// Of tables that make IVF-PQ faster and are left out where they would be larger; FAISS allows 2
// GiB.
constexpr size_t kTableBytes = size_t{256} << 20;

thread_local const absl::FunctionRef<bool()>* stopping = nullptr;

// What FAISS asks in its long loops; where it says yes, they throw.
class Interrupt : public faiss::InterruptCallback {
 public:
  bool want_interrupt() override { return stopping != nullptr && (*stopping)(); }
};

// Once a process, before the first use.
void SetUpLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    faiss::precomputed_table_max_bytes = kTableBytes;
    faiss::InterruptCallback::instance = std::make_unique<Interrupt>();
    // The threads of a build are OpenMP's alone.
    openblas_set_num_threads(1);
  });
}

// How many threads OpenMP takes in what the calling thread does.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~OpenMpThreads() { omp_set_num_threads(before_); }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

 private:
  const int before_;
};

// Tells FAISS when to stop for as long as it lives.
class Interruptible {
 public:
  explicit Interruptible(const absl::FunctionRef<bool()>& until) { stopping = &until; }
  ~Interruptible() { stopping = nullptr; }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;
};

// Of "Error in FUNCTION at FILE.cpp:LINE: Error: REASON" the end.
std::string_view WithoutPlace(std::string_view what) {
  const size_t file = what.find(".cpp:");
  const size_t reason = file == std::string_view::npos ? file : what.find(": ", file);
  return reason == std::string_view::npos ? what : what.substr(reason + 2);
}

// Unit vectors lie in the order of their L2 distances, which every kind of index knows.
faiss::MetricType MetricOf(Metric metric) {
  return metric == Metric::kInnerProduct ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
}

// What FAISS throws when it is told to stop is nobody's failure.
absl::Status UnlessStopped(absl::Status status, const ForeignIndex::Run& run) {
  if (!absl::IsInternal(status) || !run.stopping()) return status;
  return absl::CancelledError("the index is being closed");
}

faiss::Index* CoreOf(faiss::Index* index) {
  auto* const transformed = dynamic_cast<faiss::IndexPreTransform*>(index);
  return transformed == nullptr ? index : transformed->index;
}

// Polysemous codes (Douze, Jegou & Perronnin, 2016) serve a search parameter that is not admitted,
// and training them takes longer than all else.
void TrainWithoutPolysemy(faiss::Index* core) {
  if (auto* const graph = dynamic_cast<faiss::IndexHNSW*>(core)) core = graph->storage;
  if (auto* const pq = dynamic_cast<faiss::IndexPQ*>(core)) pq->do_polysemous_training = false;
  if (auto* const ivf = dynamic_cast<faiss::IndexIVFPQ*>(core)) {
    ivf->do_polysemous_training = false;
  }
}

// Fast scan has a heap and a reservoir for what it finds; the reservoir ends the process on an
// assertion when many distances are equal. FAISS takes the heap for small k only, unless told to.
void FindWithHeap(faiss::Index* core) {
  constexpr int kHeap = 12;
  if (auto* const scan = dynamic_cast<faiss::IndexFastScan*>(core)) scan->implem = kHeap;
  if (auto* const ivf = dynamic_cast<faiss::IndexIVFFastScan*>(core)) ivf->implem = kHeap;
}

class Selector : public faiss::IDSelector {
 public:
  explicit Selector(const std::optional<absl::FunctionRef<bool(size_t)>>& admits)
      : admits_(admits) {}
  bool is_member(idx_t id) const override {
    return !admits_.has_value() || (*admits_)(static_cast<size_t>(id));
  }

 private:
  const std::optional<absl::FunctionRef<bool(size_t)>>& admits_;
};

class CountingWriter : public faiss::IOWriter {
 public:
  size_t operator()(const void* /*data*/, size_t size, size_t items) override {
    bytes_ += size * items;
    return items;
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

// Keeps the status of what FAISS only learns has failed.
class CheckpointWriter : public faiss::IOWriter {
 public:
  explicit CheckpointWriter(ChecksummedWriter& out) : out_(out) {}
  size_t operator()(const void* data, size_t size, size_t items) override {
    status_ = out_.Write({static_cast<const std::byte*>(data), size * items});
    return status_.ok() ? items : 0;
  }
  const absl::Status& status() const { return status_; }

 private:
  ChecksummedWriter& out_;
  absl::Status status_;
};

class CheckpointReader : public faiss::IOReader {
 public:
  explicit CheckpointReader(ChecksummedReader& in) : in_(in) {}
  size_t operator()(void* data, size_t size, size_t items) override {
    if (size != 0 && items > in_.remaining() / size) {
      status_ = absl::DataLossError("an index of FAISS ends early");
      return 0;
    }
    status_ = in_.Read({static_cast<std::byte*>(data), size * items});
    return status_.ok() ? items : 0;
  }
  const absl::Status& status() const { return status_; }

 private:
  ChecksummedReader& in_;
  absl::Status status_;
};

}  // namespace

ForeignIndex::ForeignIndex(std::unique_ptr<faiss::Index> index, size_t dim)
    : dim_(dim), index_(std::move(index)), core_(CoreOf(index_.get())) {
  FindWithHeap(core_);
}

ForeignIndex::~ForeignIndex() = default;

absl::StatusOr<std::unique_ptr<ForeignIndex>> ForeignIndex::Make(const VectorConfig& config,
                                                                 const FaissConfig& faiss) {
  SetUpLibrary();
  const auto make = [&]() -> absl::StatusOr<std::unique_ptr<ForeignIndex>> {
    const faiss::MetricType metric = MetricOf(config.metric);
    std::unique_ptr<faiss::Index> made(
        faiss::index_factory(static_cast<int>(config.dimension), faiss.factory.c_str(), metric));
    std::unique_ptr<ForeignIndex> index(new ForeignIndex(std::move(made), config.dimension));
    // Some kinds know one metric, and take it whatever is wanted.
    if (index->core_->metric_type != metric) {
      return absl::InternalError(StrCat("it has no ", NameOf(config.metric), " for such an index"));
    }
    TrainWithoutPolysemy(index->core_);
    if (!faiss.search_parameters.empty()) {
      faiss::ParameterSpace().set_index_parameters(index->core_, faiss.search_parameters.c_str());
    }
    return index;
  };
  auto index = CatchExceptions("make it", make);
  if (!absl::IsInternal(index.status())) return index;
  return absl::InvalidArgumentError(
      StrCat("faiss: '", faiss.factory, "'",
             faiss.search_parameters.empty() ? "" : StrCat(" with '", faiss.search_parameters, "'"),
             ": FAISS refuses: ", WithoutPlace(StdView(index.status().message()))));
}

absl::Status ForeignIndex::Train(std::span<const float> vectors, const Run& run) {
  const OpenMpThreads threads(run.threads);
  const Interruptible interruptible(run.stopping);
  const absl::Status status = CatchExceptions("train an index of FAISS", [&]() -> absl::Status {
    if (!index_->is_trained) {
      index_->train(static_cast<faiss::Index::idx_t>(vectors.size() / dim_), vectors.data());
    }
    return absl::OkStatus();
  });
  return UnlessStopped(status, run);
}

absl::Status ForeignIndex::Add(std::span<const float> vectors, const Run& run) {
  const OpenMpThreads threads(run.threads);
  const Interruptible interruptible(run.stopping);
  if (run.stopping()) return absl::CancelledError("the index is being closed");
  const absl::Status status = CatchExceptions("add to an index of FAISS", [&]() -> absl::Status {
    index_->add(static_cast<faiss::Index::idx_t>(vectors.size() / dim_), vectors.data());
    return absl::OkStatus();
  });
  return UnlessStopped(status, run);
}

absl::Status ForeignIndex::Seal() {
  const absl::Status counted = CatchExceptions("measure an index of FAISS", [&]() -> absl::Status {
    CountingWriter writer;
    faiss::write_index(index_.get(), &writer);
    memory_bytes_ = writer.bytes();
    return absl::OkStatus();
  });
  VETTORE_RETURN_IF_ERROR(counted);
  if (count() == 0) return absl::OkStatus();
  // What a kind cannot do it says by throwing.
  const std::vector<float> query(dim_, 1);
  const auto all = [](size_t) { return true; };
  takes_filter_ = CatchExceptions("filter", [&]() -> absl::Status {
                    SearchFiltered({.query = query.data(), .admits = all});
                    return absl::OkStatus();
                  }).ok();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> ForeignIndex::Search(const Request& request) const {
  return CatchExceptions(
      "search an index of FAISS", [&]() -> absl::StatusOr<std::vector<uint32_t>> {
        return takes_filter_ ? SearchFiltered(request) : SearchWith(request, nullptr);
      });
}

std::vector<uint32_t> ForeignIndex::SearchFiltered(const Request& request) const {
  Selector selector(request.admits);
  faiss::IDSelector* const filter = request.admits.has_value() ? &selector : nullptr;
  if (const auto* const ivf = dynamic_cast<const faiss::IndexIVF*>(core_)) {
    faiss::SearchParametersIVF parameters;
    parameters.sel = filter;
    parameters.nprobe = request.nprobe.value_or(static_cast<uint32_t>(ivf->nprobe));
    parameters.max_codes = ivf->max_codes;
    return SearchWith(request, &parameters);
  }
  if (const auto* const graph = dynamic_cast<const faiss::IndexHNSW*>(core_)) {
    faiss::SearchParametersHNSW parameters;
    parameters.sel = filter;
    parameters.efSearch =
        static_cast<int>(request.ef_search.value_or(static_cast<uint32_t>(graph->hnsw.efSearch)));
    parameters.check_relative_distance = graph->hnsw.check_relative_distance;
    return SearchWith(request, &parameters);
  }
  faiss::SearchParameters parameters;
  parameters.sel = filter;
  return SearchWith(request, &parameters);
}

std::vector<uint32_t> ForeignIndex::SearchWith(const Request& request,
                                               const faiss::SearchParameters* parameters) const {
  const OpenMpThreads threads(1);
  const float* query = request.query;
  std::unique_ptr<const float[]> transformed;
  if (const auto* const chain = dynamic_cast<const faiss::IndexPreTransform*>(index_.get())) {
    const float* const behind = chain->apply_chain(1, query);
    if (behind != query) transformed.reset(behind);
    query = behind;
  }
  const size_t k = std::min(request.k, count());
  std::vector<float> distances(k);
  std::vector<faiss::Index::idx_t> labels(k, -1);
  core_->search(1, query, static_cast<faiss::Index::idx_t>(k), distances.data(), labels.data(),
                parameters);
  std::vector<uint32_t> found;
  found.reserve(k);
  for (const faiss::Index::idx_t label : labels) {
    if (label >= 0 && label < core_->ntotal) found.push_back(static_cast<uint32_t>(label));
  }
  return found;
}

size_t ForeignIndex::count() const { return static_cast<size_t>(index_->ntotal); }

absl::Status ForeignIndex::Save(ChecksummedWriter& out) const {
  CheckpointWriter writer(out);
  const absl::Status written = CatchExceptions("write an index of FAISS", [&]() -> absl::Status {
    faiss::write_index(index_.get(), &writer);
    return absl::OkStatus();
  });
  return writer.status().ok() ? written : writer.status();
}

absl::StatusOr<std::unique_ptr<ForeignIndex>> ForeignIndex::Load(const VectorConfig& config,
                                                                 const FaissConfig& faiss,
                                                                 ChecksummedReader& in) {
  SetUpLibrary();
  CheckpointReader reader(in);
  auto loaded = CatchExceptions(
      "read an index of FAISS", [&]() -> absl::StatusOr<std::unique_ptr<ForeignIndex>> {
        std::unique_ptr<faiss::Index> read(faiss::read_index(&reader));
        if (read->d != static_cast<int>(config.dimension) || !read->is_trained ||
            read->metric_type != MetricOf(config.metric)) {
          return absl::DataLossError("it holds an index of FAISS of another kind");
        }
        std::unique_ptr<ForeignIndex> index(new ForeignIndex(std::move(read), config.dimension));
        if (!faiss.search_parameters.empty()) {
          faiss::ParameterSpace().set_index_parameters(index->core_,
                                                       faiss.search_parameters.c_str());
        }
        return index;
      });
  if (!reader.status().ok()) return reader.status();
  if (absl::IsInternal(loaded.status())) return absl::DataLossError(loaded.status().message());
  if (loaded.ok()) {
    VETTORE_RETURN_IF_ERROR((*loaded)->Seal());
  }
  return loaded;
}

}  // namespace vettore
