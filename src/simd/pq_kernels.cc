// Chooses the table of product quantization kernels at run time.
#include "simd/pq_kernels.h"

#include "simd/cpu.h"
#include "simd/pq_kernel_tables.h"

namespace vettore::simd {

std::vector<const PqKernels*> AvailablePq() {
  std::vector<const PqKernels*> tables;
  for (const PqKernels* table : {ScalarPqTable(), Avx2PqTable(), Avx512PqTable()}) {
    if (table != nullptr && MachineFeatures().Run(table->set)) tables.push_back(table);
  }
  return tables;
}

const PqKernels& ActivePq() {
  static const PqKernels* const active = LastAdmitted(AvailablePq());
  return *active;
}

}  // namespace vettore::simd
