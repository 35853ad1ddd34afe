#include "cpu.h"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define GTEKIT_X86
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace gtekit {
namespace {

#if defined(GTEKIT_X86)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
#if defined(_MSC_VER)
  int words[4];
  __cpuidex(words, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1]), static_cast<uint32_t>(words[2]),
       static_cast<uint32_t>(words[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

// The registers that the operating system saves on a task switch (XCR0). A CPU may have AVX-512 and a
// hypervisor or kernel may not: its instructions would then trap.
uint64_t saved_registers() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

constexpr bool bit(uint32_t word, int index) { return (word >> index) & 1u; }

CpuFeatures detect() {
  CpuFeatures found;
  const Registers basic = cpuid(1, 0);
  if (!bit(basic.ecx, 27)) return found;  // OSXSAVE
  const uint64_t saved = saved_registers();
  const bool ymm = (saved & 0x6) == 0x6;
  const bool zmm = (saved & 0xe6) == 0xe6;
  const bool tiles = (saved & 0x60000) == 0x60000;
  const Registers extended = cpuid(7, 0);
  const Registers extended1 = cpuid(7, 1);
  found.fma = ymm && bit(basic.ecx, 12);
  found.f16c = ymm && bit(basic.ecx, 29);
  found.avx2 = ymm && bit(extended.ebx, 5);
  found.avx512 =
      zmm && bit(extended.ebx, 16) && bit(extended.ebx, 17) && bit(extended.ebx, 30) && bit(extended.ebx, 31);
  found.avx512_vnni = found.avx512 && bit(extended.ecx, 11);
  found.avx_vnni = ymm && bit(extended1.eax, 4);
  found.amx_int8 = tiles && bit(extended.edx, 25);
  return found;
}

#else

CpuFeatures detect() {
  CpuFeatures found;
#if defined(__aarch64__) || defined(_M_ARM64)
  found.neon = true;
#if defined(__linux__)
  found.neon_dotprod = (getauxval(AT_HWCAP) >> 20) & 1u;  // HWCAP_ASIMDDP
#elif defined(__APPLE__)
  found.neon_dotprod = true;  // every Apple M
#endif
#endif
  return found;
}

#endif

}  // namespace

const CpuFeatures& cpu() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace gtekit
