// How a kernel file switches its instructions on around its own code. The rest of the core is built for the oldest
// CPU that we support. MSVC accepts every intrinsic everywhere and needs no switch.
#pragma once

#define GTEKIT_STRING(x) #x
#if defined(__clang__)
#define GTEKIT_PRAGMA(x) _Pragma(GTEKIT_STRING(x))
#define GTEKIT_TARGET(features) \
  GTEKIT_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define GTEKIT_TARGET_END _Pragma("clang attribute pop")
#define GTEKIT_INLINE __attribute__((always_inline)) inline
#define GTEKIT_NOINLINE __attribute__((noinline))
#elif defined(__GNUC__)
#define GTEKIT_PRAGMA(x) _Pragma(GTEKIT_STRING(x))
#define GTEKIT_TARGET(features) _Pragma("GCC push_options") GTEKIT_PRAGMA(GCC target(features))
// GCC instantiates templates at the end of the file with the options that stand there, so they stay on
#define GTEKIT_TARGET_END
#define GTEKIT_INLINE __attribute__((always_inline)) inline
#define GTEKIT_NOINLINE __attribute__((noinline))
#else
#define GTEKIT_TARGET(features)
#define GTEKIT_TARGET_END
#define GTEKIT_INLINE __forceinline
#define GTEKIT_NOINLINE __declspec(noinline)
#endif

// After the parameters of a lambda that works on registers of its caller.
#if defined(__GNUC__) || defined(__clang__)
#define GTEKIT_INLINE_LAMBDA __attribute__((always_inline))
#else
#define GTEKIT_INLINE_LAMBDA
#endif

// Into the second level of cache. MSVC has no word for it that every CPU knows.
#if defined(__GNUC__) || defined(__clang__)
#define GTEKIT_PREFETCH(address) __builtin_prefetch(address, 0, 2)
#else
#define GTEKIT_PREFETCH(address) static_cast<void>(address)
#endif

// Makes the compiler forget what it knows about registers, so that a loop which measures them is not folded away.
// MSVC has no such word: its ceilings can come out too high.
#if defined(__GNUC__) || defined(__clang__)
#define GTEKIT_HIDE(kind, value) __asm__ volatile("" : "+" kind(value))
#else
#define GTEKIT_HIDE(kind, value) static_cast<void>(value)
#endif

// After this line the compiler does not know what lies in memory, so what is there stays there.
#if defined(__GNUC__) || defined(__clang__)
#define GTEKIT_FORGET_MEMORY() __asm__ volatile("" ::: "memory")
#else
#define GTEKIT_FORGET_MEMORY() static_cast<void>(0)
#endif

// Before a loop over registers. GCC takes a line of inline assembly for a large one, and unrolls no more than 16 steps
// by itself; it would leave the loop, and the registers in memory: 180 in place of 440 GOP/s.
#if defined(__GNUC__) && !defined(__clang__)
#define GTEKIT_UNROLL _Pragma("GCC unroll 24")
#else
#define GTEKIT_UNROLL
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

// The number of the lowest bit that is set: inline in each file, because a function of <bit> could be shared with
// slower CPUs' files.
static GTEKIT_INLINE unsigned lowest_bit(unsigned long long bits) {
#if defined(_MSC_VER) && !defined(__clang__)
  unsigned long place;
  _BitScanForward64(&place, bits);
  return place;
#else
  return static_cast<unsigned>(__builtin_ctzll(bits));
#endif
}
