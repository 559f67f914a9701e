// Nanoseconds a distance takes with vectors in the nearest cache, for each kernel and instruction
// set, as JSON lines.
#include "simd/kernels.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "nlohmann/json.hpp"

namespace vettore::bench {
namespace {

constexpr int kRepeats = 5;
constexpr int kCalls = 200'000;

// Keeps the compiler from dropping what is measured.
volatile float sink;

// The median over the repeats of the nanoseconds that one call takes.
template <typename Call>
double NanosecondsOf(Call call) {
  std::vector<double> repeats;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    repeats.push_back(spent.count() / kCalls);
  }
  std::sort(repeats.begin(), repeats.end());
  return repeats[kRepeats / 2];
}

void Report(const simd::Kernels& kernels, size_t dim, const std::string& kernel,
            double nanoseconds) {
  std::cout << nlohmann::json{{"suite", "kernels"},
                              {"kernel", kernel},
                              {"isa", simd::NameOf(kernels.set)},
                              {"dim", dim},
                              {"ns_per_distance", nanoseconds},
                              {"cpu", CpuName()}}
            << std::endl;
}

void Measure(const simd::Kernels& kernels, size_t dim) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<float> memory(5 * dim);
  for (float& entry : memory) entry = value(random);
  const float* const query = memory.data();
  const float* const rows[4] = {query + dim, query + 2 * dim, query + 3 * dim, query + 4 * dim};
  float out[4];
  Report(kernels, dim, "l2_squared",
         NanosecondsOf([&] { sink = kernels.l2_squared(query, rows[0], dim); }));
  Report(kernels, dim, "inner_product",
         NanosecondsOf([&] { sink = kernels.inner_product(query, rows[0], dim); }));
  Report(kernels, dim, "l2_squared_to_4", NanosecondsOf([&] {
                                            kernels.l2_squared_to_4(query, rows, dim, out);
                                            sink = out[3];
                                          }) / 4);
  Report(kernels, dim, "inner_product_to_4", NanosecondsOf([&] {
                                               kernels.inner_product_to_4(query, rows, dim, out);
                                               sink = out[3];
                                             }) / 4);
}

}  // namespace
}  // namespace vettore::bench

int main() {
  for (const vettore::simd::Kernels* kernels : vettore::simd::Available()) {
    for (const size_t dim : {100, 128, 384, 768, 1536}) vettore::bench::Measure(*kernels, dim);
  }
}
