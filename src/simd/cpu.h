// What this machine's processor and operating system run, and what the environment admits; private
// to this room.
#pragma once

#include <cstdint>
#include <vector>

#include "simd/kernels.h"

namespace vettore::simd {

// Each is true only where the operating system saves the registers that it uses.
struct CpuFeatures {
  bool neon = false;
  bool avx2 = false;  // With FMA.
  bool f16c = false;
  bool avx512 = false;  // F, BW, VL and DQ, beside avx2.
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool avx512_vpopcntdq = false;

  bool Run(InstructionSet set) const;
};

// What the CPUID and XGETBV instructions answer (Intel 64 and IA-32 Architectures Software
// Developer's Manual, volume 2A, CPUID). Zero where the processor does not know the leaf.
struct CpuidAnswers {
  uint32_t leaf1_ecx = 0;
  uint32_t leaf7_ebx = 0;
  uint32_t leaf7_ecx = 0;
  uint32_t leaf7_1_eax = 0;
  uint64_t xcr0 = 0;
};
CpuFeatures FeaturesOf(const CpuidAnswers& answers);

// Asked once. Thread-safe.
const CpuFeatures& MachineFeatures();

// The highest instruction set that VETTORE_SIMD admits.
InstructionSet Ceiling();

// The last of ascending tables that the environment admits. available: with the scalar table first.
template <typename Table>
const Table* LastAdmitted(const std::vector<const Table*>& available) {
  const InstructionSet ceiling = Ceiling();
  const Table* last = available.front();
  for (const Table* table : available) {
    if (table->set <= ceiling) last = table;
  }
  return last;
}

}  // namespace vettore::simd
