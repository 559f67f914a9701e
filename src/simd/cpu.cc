#include "simd/cpu.h"

#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/log.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace vettore::simd {
namespace {

bool Bit(uint64_t word, int bit) { return (word >> bit & 1U) != 0; }

#if defined(__x86_64__)
CpuidAnswers AskCpuid() {
  CpuidAnswers answers;
  uint32_t eax = 0;
  uint32_t ebx = 0;
  uint32_t ecx = 0;
  uint32_t edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) answers.leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) {
    answers.leaf7_ebx = ebx;
    answers.leaf7_ecx = ecx;
    if (eax >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) {
      answers.leaf7_1_eax = eax;
    }
  }
  constexpr int kOsxsave = 27;
  if (Bit(answers.leaf1_ecx, kOsxsave)) {
    uint32_t low = 0;
    uint32_t high = 0;
    // The intrinsic needs a target of its own; the instruction is there where OSXSAVE is.
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    answers.xcr0 = uint64_t{high} << 32 | low;
  }
  return answers;
}
#endif

CpuFeatures AskMachine() {
#if defined(__x86_64__)
  return FeaturesOf(AskCpuid());
#elif defined(__aarch64__)
  return {.neon = true};
#else
  return {};
#endif
}

std::optional<InstructionSet> Parse(std::string_view name) {
  for (const InstructionSet set : {InstructionSet::kScalar, InstructionSet::kNeon,
                                   InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (NameOf(set) == name) return set;
  }
  return std::nullopt;
}

InstructionSet ReadCeiling() {
  const char* wanted = std::getenv("VETTORE_SIMD");
  if (wanted == nullptr || *wanted == '\0') return InstructionSet::kAvx512;
  const std::optional<InstructionSet> set = Parse(wanted);
  if (!set.has_value()) {
    Log(LogLevel::kWarning, "VETTORE_SIMD is ignored",
        {{"wanted", "scalar, neon, avx2 or avx512"}, {"got", wanted}});
  }
  return set.value_or(InstructionSet::kAvx512);
}

}  // namespace

bool CpuFeatures::Run(InstructionSet set) const {
  switch (set) {
    case InstructionSet::kScalar:
      return true;
    case InstructionSet::kNeon:
      return neon;
    case InstructionSet::kAvx2:
      return avx2;
    case InstructionSet::kAvx512:
      return avx512;
  }
  return false;
}

CpuFeatures FeaturesOf(const CpuidAnswers& answers) {
  // XCR0: the upper halves of YMM; opmasks, the upper halves of ZMM0-15, ZMM16-31.
  constexpr uint64_t kYmmState = 0x06;
  constexpr uint64_t kZmmState = 0xE6;
  const uint32_t leaf1 = answers.leaf1_ecx;
  const uint32_t leaf7 = answers.leaf7_ebx;
  const bool saves_ymm = (answers.xcr0 & kYmmState) == kYmmState;
  const bool saves_zmm = (answers.xcr0 & kZmmState) == kZmmState;

  CpuFeatures features;
  const bool avx = Bit(leaf1, 28) && saves_ymm;
  features.avx2 = avx && Bit(leaf7, 5) && Bit(leaf1, 12);
  features.f16c = avx && Bit(leaf1, 29);
  features.avx512 = features.avx2 && saves_zmm && Bit(leaf7, 16) && Bit(leaf7, 17) &&
                    Bit(leaf7, 30) && Bit(leaf7, 31);
  features.avx512_vnni = features.avx512 && Bit(answers.leaf7_ecx, 11);
  features.avx512_vpopcntdq = features.avx512 && Bit(answers.leaf7_ecx, 14);
  features.avx512_bf16 = features.avx512 && Bit(answers.leaf7_1_eax, 5);
  return features;
}

const CpuFeatures& MachineFeatures() {
  static const CpuFeatures features = AskMachine();
  return features;
}

InstructionSet Ceiling() {
  static const InstructionSet ceiling = ReadCeiling();
  return ceiling;
}

}  // namespace vettore::simd
