// Chooses the table of product quantization kernels as the distance kernels are chosen.
#include "simd/pq_kernels.h"

#include "simd/pq_kernel_tables.h"

namespace vettore::simd {
namespace {

const PqKernels* TableOf(InstructionSet set) {
  switch (set) {
    case InstructionSet::kScalar:
      return ScalarPqTable();
    case InstructionSet::kAvx2:
      return Avx2PqTable();
    case InstructionSet::kAvx512:
      return Avx512PqTable();
  }
  return ScalarPqTable();
}

}  // namespace

const PqKernels& ActivePq() {
  static const PqKernels* const active = TableOf(Active().set);
  return *active;
}

std::vector<const PqKernels*> AvailablePq() {
  std::vector<const PqKernels*> tables;
  for (const Kernels* kernels : Available()) tables.push_back(TableOf(kernels->set));
  return tables;
}

}  // namespace vettore::simd
