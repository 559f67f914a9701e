// Chooses the kernel table at run time.
#include "simd/kernels.h"

#include <cstdlib>
#include <optional>

#include "base/log.h"
#include "simd/kernel_tables.h"

namespace vettore::simd {
namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports also asks whether the operating system saves the wide registers.
bool MachineRuns(InstructionSet set) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  switch (set) {
    case InstructionSet::kScalar:
      return true;
    case InstructionSet::kAvx2:
      return avx2;
    case InstructionSet::kAvx512:
      return avx2 && __builtin_cpu_supports("avx512f") != 0 &&
             __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
             __builtin_cpu_supports("avx512dq") != 0;
  }
  return false;
}
#else
bool MachineRuns(InstructionSet set) { return set == InstructionSet::kScalar; }
#endif

std::optional<InstructionSet> Parse(std::string_view name) {
  for (const InstructionSet set :
       {InstructionSet::kScalar, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (NameOf(set) == name) return set;
  }
  return std::nullopt;
}

// The highest instruction set that the environment admits.
InstructionSet Ceiling() {
  const char* wanted = std::getenv("VETTORE_SIMD");
  if (wanted == nullptr || *wanted == '\0') return InstructionSet::kAvx512;
  const std::optional<InstructionSet> set = Parse(wanted);
  if (!set.has_value()) {
    Log(LogLevel::kWarning, "VETTORE_SIMD is ignored",
        {{"wanted", "scalar, avx2 or avx512"}, {"got", wanted}});
  }
  return set.value_or(InstructionSet::kAvx512);
}

const Kernels* Choose() {
  const InstructionSet ceiling = Ceiling();
  const Kernels* best = ScalarTable();
  for (const Kernels* table : Available()) {
    if (table->set <= ceiling) best = table;
  }
  return best;
}

}  // namespace

std::string_view NameOf(InstructionSet set) {
  switch (set) {
    case InstructionSet::kScalar:
      return "scalar";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
  }
  return "unknown";
}

std::vector<const Kernels*> Available() {
  std::vector<const Kernels*> tables;
  for (const Kernels* table : {ScalarTable(), Avx2Table(), Avx512Table()}) {
    if (table != nullptr && MachineRuns(table->set)) tables.push_back(table);
  }
  return tables;
}

const Kernels& Active() {
  static const Kernels* const active = Choose();
  return *active;
}

}  // namespace vettore::simd
