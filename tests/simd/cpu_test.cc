// Which answers of the processor admit which kernels.
#include "simd/cpu.h"

#include <gtest/gtest.h>

#include "simd/typed_kernels.h"

namespace vettore::simd {
namespace {

constexpr uint32_t BitOf(int bit) { return uint32_t{1} << bit; }

// A machine that has all, as its manual numbers the bits.
CpuidAnswers Everything() {
  return {.leaf1_ecx = BitOf(12) | BitOf(27) | BitOf(28) | BitOf(29),
          .leaf7_ebx = BitOf(5) | BitOf(16) | BitOf(17) | BitOf(30) | BitOf(31),
          .leaf7_ecx = BitOf(11) | BitOf(14),
          .leaf7_1_eax = BitOf(5),
          .xcr0 = 0xE7};
}

TEST(CpuFeatures, AMachineWithEverythingRunsEverything) {
  const CpuFeatures features = FeaturesOf(Everything());
  EXPECT_TRUE(features.avx2);
  EXPECT_TRUE(features.f16c);
  EXPECT_TRUE(features.avx512);
  EXPECT_TRUE(features.avx512_vnni);
  EXPECT_TRUE(features.avx512_bf16);
  EXPECT_TRUE(features.avx512_vpopcntdq);
  EXPECT_FALSE(features.neon);
  EXPECT_TRUE(features.Run(InstructionSet::kScalar));
  EXPECT_TRUE(features.Run(InstructionSet::kAvx512));
  EXPECT_FALSE(features.Run(InstructionSet::kNeon));
}

TEST(CpuFeatures, AMachineWithNothingRunsTheScalarKernels) {
  const CpuFeatures features = FeaturesOf({});
  EXPECT_TRUE(features.Run(InstructionSet::kScalar));
  EXPECT_FALSE(features.Run(InstructionSet::kAvx2));
  EXPECT_FALSE(features.Run(InstructionSet::kAvx512));
  EXPECT_FALSE(features.f16c);
}

TEST(CpuFeatures, WhatTheOperatingSystemDoesNotSaveIsNotUsed) {
  CpuidAnswers answers = Everything();
  answers.xcr0 = 0x07;  // The YMM registers and no more.
  EXPECT_TRUE(FeaturesOf(answers).avx2);
  EXPECT_FALSE(FeaturesOf(answers).avx512);
  EXPECT_FALSE(FeaturesOf(answers).avx512_vnni);
  EXPECT_FALSE(FeaturesOf(answers).avx512_bf16);
  EXPECT_FALSE(FeaturesOf(answers).avx512_vpopcntdq);
  answers.xcr0 = 0x03;
  EXPECT_FALSE(FeaturesOf(answers).avx2);
  EXPECT_FALSE(FeaturesOf(answers).f16c);
}

TEST(CpuFeatures, Avx2WithoutFmaIsNotUsed) {
  CpuidAnswers answers = Everything();
  answers.leaf1_ecx &= ~BitOf(12);
  EXPECT_FALSE(FeaturesOf(answers).avx2);
  EXPECT_FALSE(FeaturesOf(answers).avx512);
}

TEST(CpuFeatures, EachPartOfAvx512IsNeeded) {
  for (const int part : {5, 16, 17, 30, 31}) {
    CpuidAnswers answers = Everything();
    answers.leaf7_ebx &= ~BitOf(part);
    EXPECT_FALSE(FeaturesOf(answers).avx512) << "without bit " << part;
    EXPECT_FALSE(FeaturesOf(answers).avx512_vnni) << "without bit " << part;
  }
}

TEST(CpuFeatures, EachExtensionIsItsOwn) {
  CpuidAnswers answers = Everything();
  answers.leaf7_ecx = BitOf(14);
  EXPECT_FALSE(FeaturesOf(answers).avx512_vnni);
  EXPECT_TRUE(FeaturesOf(answers).avx512_vpopcntdq);
  answers.leaf7_ecx = BitOf(11);
  EXPECT_TRUE(FeaturesOf(answers).avx512_vnni);
  EXPECT_FALSE(FeaturesOf(answers).avx512_vpopcntdq);
  answers.leaf7_1_eax = 0;
  EXPECT_FALSE(FeaturesOf(answers).avx512_bf16);
  EXPECT_TRUE(FeaturesOf(answers).avx512);
  answers.leaf1_ecx &= ~BitOf(29);
  EXPECT_FALSE(FeaturesOf(answers).f16c);
  EXPECT_TRUE(FeaturesOf(answers).avx2);
}

#if defined(__x86_64__)
// The compiler's own run-time library asks the same questions.
TEST(CpuFeatures, TheMachineIsWhatTheCompilerFinds) {
  __builtin_cpu_init();
  EXPECT_EQ(MachineFeatures().avx2,
            __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(MachineFeatures().avx512,
            __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0);
  EXPECT_EQ(MachineFeatures().avx512_vnni, __builtin_cpu_supports("avx512vnni") != 0);
  EXPECT_EQ(MachineFeatures().avx512_vpopcntdq, __builtin_cpu_supports("avx512vpopcntdq") != 0);
}
#elif defined(__aarch64__)
TEST(CpuFeatures, EveryArmHasNeon) { EXPECT_TRUE(MachineFeatures().neon); }
#endif

}  // namespace
}  // namespace vettore::simd
