// Chooses the kernel table at run time.
#include "simd/kernels.h"

#include "simd/cpu.h"
#include "simd/kernel_tables.h"

namespace vettore::simd {

std::vector<const Kernels*> Available() {
  std::vector<const Kernels*> tables;
  for (const Kernels* table : {ScalarTable(), NeonTable(), Avx2Table(), Avx512Table()}) {
    if (table != nullptr && MachineFeatures().Run(table->set)) tables.push_back(table);
  }
  return tables;
}

const Kernels& Active() {
  static const Kernels* const active = LastAdmitted(Available());
  return *active;
}

}  // namespace vettore::simd
