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
#elif defined(__GNUC__)
#define GTEKIT_PRAGMA(x) _Pragma(GTEKIT_STRING(x))
#define GTEKIT_TARGET(features) _Pragma("GCC push_options") GTEKIT_PRAGMA(GCC target(features))
// GCC instantiates templates at the end of the file with the options that stand there, so they stay on
#define GTEKIT_TARGET_END
#define GTEKIT_INLINE __attribute__((always_inline)) inline
#else
#define GTEKIT_TARGET(features)
#define GTEKIT_TARGET_END
#define GTEKIT_INLINE __forceinline
#endif

// Into the second level of cache. MSVC has no word for it that every CPU knows.
#if defined(__GNUC__) || defined(__clang__)
#define GTEKIT_PREFETCH(address) __builtin_prefetch(address, 0, 2)
#else
#define GTEKIT_PREFETCH(address) static_cast<void>(address)
#endif
