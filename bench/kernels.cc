// Nanoseconds and bytes a second of each distance kernel, element type and instruction set, from
// the nearest cache and from memory, as JSON lines.
#include "simd/kernels.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/machine.h"
#include "nlohmann/json.hpp"
#include "simd/code_kernels.h"
#include "simd/typed_kernels.h"

namespace vettore::bench {
namespace {

using simd::Measure;

struct Options {
  std::vector<size_t> dims{96, 128, 384, 768, 1536};
  std::vector<std::string> types;
  size_t memory_mib = 256;
  int repeats = 5;
};

// Keeps the compiler from dropping what is measured.
volatile double sink;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// What this thread has used of its processor, in nanoseconds: other work on the machine does not
// count.
double ThreadNanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// The nanoseconds of one run of `call`.
template <typename Call>
double Nanoseconds(Call call) {
  const double begin = ThreadNanoseconds();
  call();
  return ThreadNanoseconds() - begin;
}

// What rows are read from: random bytes on huge pages, where the system has them. Whatever the
// type, its floats are normal and their magnitudes below 2.
class Memory {
 public:
  explicit Memory(size_t size_bytes) : size_(size_bytes / kAlignment * kAlignment) {
    bytes_.reset(static_cast<char*>(std::aligned_alloc(kAlignment, size_)));
    if (bytes_ == nullptr) throw std::bad_alloc();
    madvise(bytes_.get(), size_, MADV_HUGEPAGE);
    std::mt19937_64 random(1);
    for (size_t i = 0; i < size_; i += sizeof(uint64_t)) {
      const uint64_t word = (random() & 0xBFFFBFFFBFFFBFFFU) | 0x3000300030003000U;
      std::memcpy(bytes_.get() + i, &word, sizeof(word));
    }
  }

  const char* bytes() const { return bytes_.get(); }
  size_t size() const { return size_; }

  // The best of the repeats, in bytes a second: what the kernels' share is of.
  double SequentialBandwidth(int repeats) const {
    using Words = uint64_t __attribute__((vector_size(16)));
    const auto* words = reinterpret_cast<const Words*>(bytes_.get());
    double best = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      Words sums[4] = {};
      const double ns = Nanoseconds([&] {
        for (size_t i = 0; i + 4 <= size_ / sizeof(Words); i += 4) {
          sums[0] += words[i];
          sums[1] += words[i + 1];
          sums[2] += words[i + 2];
          sums[3] += words[i + 3];
        }
      });
      sink = static_cast<double>(sums[0][0] + sums[1][0] + sums[2][0] + sums[3][0]);
      best = std::max(best, static_cast<double>(size_) / ns * 1e9);
    }
    return best;
  }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  static constexpr size_t kAlignment = size_t{2} << 20;
  size_t size_;
  std::unique_ptr<char, Free> bytes_;
};

// One kernel of one table.
struct Subject {
  std::string table;             // "avx512_vnni"
  std::string type;              // "f32", "f32_f16", "i8", "bits"
  std::string kernel{};          // "l2_squared"
  size_t elements_per_byte = 1;  // 8 for packed bits.
};

class Bench {
 public:
  explicit Bench(Options options)
      : options_(std::move(options)),
        memory_(options_.memory_mib << 20),
        sequential_(memory_.SequentialBandwidth(options_.repeats)),
        cpu_(CpuName()) {
    std::cout << nlohmann::json{{"suite", "kernels"},
                                {"kernel", "sequential_read"},
                                {"gb_per_s", sequential_ / 1e9},
                                {"memory_mib", memory_.size() >> 20},
                                {"cpu", cpu_}}
              << std::endl;
  }

  bool Wants(const std::string& type) const {
    return options_.types.empty() || std::count(options_.types.begin(), options_.types.end(), type);
  }

  template <typename Query, typename Row, typename Result>
  void Run(const Subject& subject, const Measure<Query, Row, Result>& measure) {
    if (!Wants(subject.type)) return;
    for (const size_t dim : options_.dims) {
      const size_t elements = dim / subject.elements_per_byte;
      FromCache(subject, measure, elements);
      FromMemory(subject, measure, elements);
    }
  }

  struct CodeLayout {
    size_t query_step;   // Values that a query is padded to.
    size_t line_values;  // In 64 bytes of a code.
  };
  void RunCodes(const Subject& subject, simd::CodeProductsFn products, const CodeLayout& layout) {
    if (!Wants(subject.type)) return;
    for (const size_t dim : options_.dims) {
      const auto steps = [&](size_t step) { return (dim + step - 1) / step; };
      const CodeShape shape{.dim = dim,
                            .padded_dim = steps(layout.query_step) * layout.query_step,
                            .code_bytes = steps(layout.line_values) * kLineBytes};
      CodesFromCache(subject, products, shape);
      CodesAtRandom(subject, products, shape);
    }
  }

 private:
  static constexpr size_t kLineBytes = 64;
  struct CodeShape {
    size_t dim;
    size_t padded_dim;
    size_t code_bytes;
  };

  void CodesFromCache(const Subject& subject, simd::CodeProductsFn products,
                      const CodeShape& shape) {
    const auto* query = reinterpret_cast<const int8_t*>(memory_.bytes());
    const uint8_t* codes[4];
    for (size_t i = 0; i < 4; ++i) {
      codes[i] = reinterpret_cast<const uint8_t*>(query) + shape.padded_dim + i * shape.code_bytes;
    }
    const Way way{.shape = "to_4",
                  .from = "cache",
                  .dim = shape.dim,
                  .row_bytes = shape.code_bytes,
                  .rows = kCachedCalls};
    Report(subject, way, [&] {
      int32_t out[4];
      for (size_t i = 0; i < kCachedCalls; i += 4) {
        products(query, codes, 4, shape.padded_dim, out);
        sink = static_cast<double>(out[3]);
      }
    });
  }

  // In batches of what a graph search meets at once; all of a batch is asked for before.
  void CodesAtRandom(const Subject& subject, simd::CodeProductsFn products,
                     const CodeShape& shape) {
    constexpr size_t kBatch = 32;
    const auto* query = reinterpret_cast<const int8_t*>(memory_.bytes());
    const auto* table = reinterpret_cast<const uint8_t*>(memory_.bytes());
    std::mt19937 random(2);
    std::vector<const uint8_t*> codes(kRandomRows / kBatch * kBatch);
    for (const uint8_t*& code : codes) {
      code = table + random() % (memory_.size() / shape.code_bytes) * shape.code_bytes;
    }
    std::vector<int32_t> out(codes.size());
    const Way way{.shape = "to_many",
                  .from = "memory at random",
                  .dim = shape.dim,
                  .row_bytes = shape.code_bytes,
                  .rows = codes.size()};
    Report(subject, way, [&] {
      for (size_t i = 0; i < codes.size(); i += kBatch) {
        for (size_t j = i; j < i + kBatch; ++j) {
          for (size_t at = 0; at < shape.code_bytes; at += kLineBytes) {
            __builtin_prefetch(codes[j] + at);
          }
        }
        products(query, codes.data() + i, kBatch, shape.padded_dim, out.data() + i);
      }
    });
  }

  // How a kernel was called.
  struct Way {
    std::string shape;  // "one", "to_4", "to_many"
    std::string from;   // "cache", "memory in order", "memory at random"
    size_t dim;         // As the result line says it.
    size_t row_bytes;
    size_t rows;  // A run's.
  };
  static constexpr size_t kCachedCalls = 8'192;
  static constexpr size_t kStreamedBytes = size_t{64} << 20;
  static constexpr size_t kRandomRows = 50'000;

  // query and four rows, one behind the other.
  template <typename Query, typename Row, typename Result>
  void FromCache(const Subject& subject, const Measure<Query, Row, Result>& measure, size_t dim) {
    const auto* query = reinterpret_cast<const Query*>(memory_.bytes());
    const auto* row = reinterpret_cast<const Row*>(query + dim);
    const Row* const rows[4] = {row, row + dim, row + 2 * dim, row + 3 * dim};
    Way way{.shape = "one",
            .from = "cache",
            .dim = dim * subject.elements_per_byte,
            .row_bytes = dim * sizeof(Row),
            .rows = kCachedCalls};
    Report(subject, way, [&] {
      for (size_t i = 0; i < kCachedCalls; ++i) {
        sink = static_cast<double>(measure.one(query, row, dim));
      }
    });
    way.shape = "to_4";
    Report(subject, way, [&] {
      Result out[4];
      for (size_t i = 0; i < kCachedCalls; i += 4) {
        measure.to_4(query, rows, dim, out);
        sink = static_cast<double>(out[3]);
      }
    });
  }

  template <typename Query, typename Row, typename Result>
  void FromMemory(const Subject& subject, const Measure<Query, Row, Result>& measure, size_t dim) {
    const auto* query = reinterpret_cast<const Query*>(memory_.bytes());
    const auto* table = reinterpret_cast<const Row*>(memory_.bytes());
    const size_t row_bytes = dim * sizeof(Row);
    const size_t rows = memory_.size() / row_bytes;
    Way way{.shape = "one",
            .from = "memory in order",
            .dim = dim * subject.elements_per_byte,
            .row_bytes = row_bytes,
            .rows = std::min(rows, kStreamedBytes / row_bytes)};
    Report(subject, way, [&] {
      for (size_t i = 0; i < way.rows; ++i) {
        sink = static_cast<double>(measure.one(query, table + i * dim, dim));
      }
    });
    std::vector<uint32_t> numbers(way.rows);
    for (uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    std::vector<Result> out(way.rows);
    simd::Gather<Row> gather{
        .base = table, .stride_bytes = row_bytes, .numbers = numbers.data(), .count = way.rows};
    way.shape = "to_many";
    Report(subject, way, [&] { measure.to_many(query, gather, dim, out.data()); });
    std::mt19937 random(2);
    for (uint32_t& number : numbers) number = static_cast<uint32_t>(random() % rows);
    way.from = "memory at random";
    way.rows = std::min(way.rows, kRandomRows);
    gather.count = way.rows;
    Report(subject, way, [&] { measure.to_many(query, gather, dim, out.data()); });
  }

  // Runs `call`, which measures way.rows rows, and prints the median.
  template <typename Call>
  void Report(const Subject& subject, const Way& way, Call call) {
    call();
    std::vector<double> repeats;
    for (int repeat = 0; repeat < options_.repeats; ++repeat) {
      repeats.push_back(Nanoseconds(call) / static_cast<double>(way.rows));
    }
    const double ns = Median(repeats);
    const double bytes_per_s = static_cast<double>(way.row_bytes) / ns * 1e9;
    const std::string key =
        nlohmann::json{subject.type, subject.kernel, way.shape, way.from, way.dim}.dump();
    const double scalar_ns = scalar_ns_.try_emplace(key, ns).first->second;
    nlohmann::json line{{"suite", "kernels"},
                        {"kernel", subject.kernel},
                        {"type", subject.type},
                        {"isa", subject.table},
                        {"dim", way.dim},
                        {"shape", way.shape},
                        {"from", way.from},
                        {"ns_per_distance", ns},
                        {"gb_per_s", bytes_per_s / 1e9},
                        {"x_scalar", scalar_ns / ns},
                        {"cpu", cpu_}};
    if (way.from != "cache") line["share_of_sequential"] = bytes_per_s / sequential_;
    std::cout << line << std::endl;
  }

  Options options_;
  Memory memory_;
  double sequential_;
  std::string cpu_;
  // Of the first table that came, which is the scalar one.
  std::map<std::string, double> scalar_ns_;
};

template <typename Query, typename Row, typename Result>
void RunAll(Bench& bench, Subject subject, const simd::Measures<Query, Row, Result>& measures) {
  subject.kernel = "l2_squared";
  bench.Run(subject, measures.l2_squared);
  subject.kernel = "inner_product";
  bench.Run(subject, measures.inner_product);
  subject.kernel = "l1";
  bench.Run(subject, measures.l1);
}

void RunFloats(Bench& bench) {
  for (const simd::Kernels* table : simd::Available()) {
    const simd::Measures<float, float, float> measures{
        .l2_squared = {table->l2_squared, table->l2_squared_to_4, table->l2_squared_to_many},
        .inner_product = {table->inner_product, table->inner_product_to_4,
                          table->inner_product_to_many},
        .l1 = {table->l1, table->l1_to_4, table->l1_to_many}};
    RunAll(bench, {.table = std::string(simd::NameOf(table->set)), .type = "f32"}, measures);
  }
}

void RunHalves(Bench& bench) {
  for (const simd::HalfKernels* table : simd::AvailableHalfKernels()) {
    const std::string name(table->name);
    RunAll(bench, {.table = name, .type = "f32_f16"}, table->f32_f16);
    RunAll(bench, {.table = name, .type = "f16"}, table->f16);
    RunAll(bench, {.table = name, .type = "f32_bf16"}, table->f32_bf16);
    RunAll(bench, {.table = name, .type = "bf16"}, table->bf16);
  }
}

void RunBytes(Bench& bench) {
  for (const simd::ByteKernels* table : simd::AvailableByteKernels()) {
    const std::string name(table->name);
    RunAll(bench, {.table = name, .type = "i8"}, table->i8);
    RunAll(bench, {.table = name, .type = "u8"}, table->u8);
  }
}

void RunBits(Bench& bench) {
  for (const simd::BinaryKernels* table : simd::AvailableBinaryKernels()) {
    Subject subject{.table = std::string(table->name), .type = "bits", .elements_per_byte = 8};
    subject.kernel = "hamming";
    bench.Run(subject, table->hamming);
    subject.kernel = "inner_product";
    bench.Run(subject, table->inner_product);
    subject.kernel = "jaccard";
    bench.Run(subject, table->jaccard);
  }
}

void RunCodes(Bench& bench) {
  for (const simd::CodeKernels* table : simd::AvailableCodeKernels()) {
    const std::string name(simd::NameOf(table->set));
    bench.RunCodes({name, "codes8", "inner_product"}, table->byte_products,
                   {simd::kByteStep, simd::kByteStep});
    bench.RunCodes({name, "codes4", "inner_product"}, table->nibble_products,
                   {simd::kNibbleStep, simd::kNibbleStep});
    bench.RunCodes({name, "codes1", "inner_product"}, table->bit_products,
                   {simd::kBitPlane, simd::kBitStep});
  }
}

}  // namespace
}  // namespace vettore::bench

int main(int argc, char** argv) {
  vettore::bench::Options options;
  CLI::App app(
      "Each distance kernel of each instruction set of this machine, from the nearest cache and "
      "from "
      "memory, as JSON lines. share_of_sequential is of the first line's bandwidth, which is one "
      "core's; x_scalar is the scalar kernel's time over this one's.");
  app.add_option("--dims", options.dims, "Dimensions, in elements; multiples of 8")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(size_t{8}, vettore::simd::kMaxByteDim));
  app.add_option("--types", options.types, "Only these element types; default: all")
      ->delimiter(',')
      ->check(CLI::IsMember({"f32", "f32_f16", "f16", "f32_bf16", "bf16", "i8", "u8", "bits",
                             "codes8", "codes4", "codes1"}));
  app.add_option("--memory-mib", options.memory_mib,
                 "Memory that rows lie in; more than the caches hold")
      ->capture_default_str()
      ->check(CLI::Range(size_t{8}, size_t{65'536}));
  app.add_option("--repeats", options.repeats, "Timed runs, of which the median is taken")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  vettore::bench::Bench bench(options);
  vettore::bench::RunFloats(bench);
  vettore::bench::RunHalves(bench);
  vettore::bench::RunBytes(bench);
  vettore::bench::RunBits(bench);
  vettore::bench::RunCodes(bench);
}
