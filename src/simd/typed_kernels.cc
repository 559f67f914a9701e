// Chooses the typed kernel tables at run time.
#include "simd/typed_kernels.h"

#include "simd/cpu.h"
#include "simd/kernel_tables.h"

namespace vettore::simd {
namespace {

// A table, and whether this machine has what it uses.
template <typename Table>
struct Candidate {
  const Table* table;
  bool runs;
};

template <typename Table>
std::vector<const Table*> Running(std::initializer_list<Candidate<Table>> candidates) {
  std::vector<const Table*> tables;
  for (const auto& [table, runs] : candidates) {
    if (table != nullptr && runs) tables.push_back(table);
  }
  return tables;
}

}  // namespace

std::vector<const HalfKernels*> AvailableHalfKernels() {
  const CpuFeatures& cpu = MachineFeatures();
  return Running<HalfKernels>({{ScalarTypedTables().half, true},
                               {NeonTypedTables().half, cpu.neon},
                               {Avx2TypedTables().half, cpu.avx2 && cpu.f16c},
                               {Avx512TypedTables().half, cpu.avx512},
                               {Avx512ExtendedTables().half, cpu.avx512_bf16}});
}

std::vector<const ByteKernels*> AvailableByteKernels() {
  const CpuFeatures& cpu = MachineFeatures();
  return Running<ByteKernels>({{ScalarTypedTables().byte, true},
                               {NeonTypedTables().byte, cpu.neon},
                               {Avx2TypedTables().byte, cpu.avx2},
                               {Avx512TypedTables().byte, cpu.avx512},
                               {Avx512ExtendedTables().byte, cpu.avx512_vnni}});
}

std::vector<const BinaryKernels*> AvailableBinaryKernels() {
  const CpuFeatures& cpu = MachineFeatures();
  return Running<BinaryKernels>({{ScalarTypedTables().binary, true},
                                 {NeonTypedTables().binary, cpu.neon},
                                 {Avx2TypedTables().binary, cpu.avx2},
                                 {Avx512TypedTables().binary, cpu.avx512},
                                 {Avx512ExtendedTables().binary, cpu.avx512_vpopcntdq}});
}

const HalfKernels& ActiveHalfKernels() {
  static const HalfKernels* const active = LastAdmitted(AvailableHalfKernels());
  return *active;
}

const ByteKernels& ActiveByteKernels() {
  static const ByteKernels* const active = LastAdmitted(AvailableByteKernels());
  return *active;
}

const BinaryKernels& ActiveBinaryKernels() {
  static const BinaryKernels* const active = LastAdmitted(AvailableBinaryKernels());
  return *active;
}

}  // namespace vettore::simd
