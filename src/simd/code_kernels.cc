// Chooses the table of code kernels at run time.
#include "simd/code_kernels.h"

#include "simd/code_kernel_tables.h"
#include "simd/cpu.h"

namespace vettore::simd {

std::vector<const CodeKernels*> AvailableCodeKernels() {
  const CpuFeatures& features = MachineFeatures();
  std::vector<const CodeKernels*> tables;
  for (const CodeKernels* table : {ScalarCodeTable(), Avx2CodeTable(), Avx512CodeTable()}) {
    if (table != nullptr && features.Run(table->set)) tables.push_back(table);
  }
  const CodeKernels* const vnni = Avx512VnniCodeTable();
  if (vnni != nullptr && features.Run(vnni->set) && features.avx512_vnni) tables.push_back(vnni);
  return tables;
}

const CodeKernels& ActiveCodeKernels() {
  static const CodeKernels* const active = LastAdmitted(AvailableCodeKernels());
  return *active;
}

}  // namespace vettore::simd
