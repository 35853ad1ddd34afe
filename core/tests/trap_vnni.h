// AVX-VNNI on CPUs that lack it.
#pragma once

namespace test {

// From here on this process runs vpdpbusd in its VEX encoding, the one instruction that kernels/avx_vnni.cpp has beyond
// AVX2: where the CPU refuses it, a signal handler does its work. Some microseconds each: for tests, not for speed.
// False where that can't be: needs Linux, x86-64 and AVX2.
bool trap_vnni();

}  // namespace test
