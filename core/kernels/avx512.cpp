// AVX-512 F, BW, DQ, VL: Intel servers since Skylake, AMD since Zen 4.
#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "kernels/table.h"
#include "kernels/target.h"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands inside its own intrinsics for mistakes (its bug 105593)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

GTEKIT_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

namespace gtekit {
namespace {

struct Vector {
  static constexpr size_t kLanes = 16;
  __m512 lanes;

  static GTEKIT_INLINE Vector zero() { return {_mm512_setzero_ps()}; }
  static GTEKIT_INLINE Vector broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static GTEKIT_INLINE Vector load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static GTEKIT_INLINE Vector load(const float* p, size_t n, float fill) {
    return {_mm512_mask_loadu_ps(_mm512_set1_ps(fill), first(n), p)};
  }
  static GTEKIT_INLINE Vector load_half(const uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static GTEKIT_INLINE Vector load_bfloat16(const uint16_t* p) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))};
  }
  GTEKIT_INLINE void store(float* p) const { _mm512_storeu_ps(p, lanes); }
  GTEKIT_INLINE void store(float* p, size_t n) const { _mm512_mask_storeu_ps(p, first(n), lanes); }
  GTEKIT_INLINE float sum() const { return _mm512_reduce_add_ps(lanes); }
  GTEKIT_INLINE float largest() const { return _mm512_reduce_max_ps(lanes); }
  static GTEKIT_INLINE __mmask16 first(size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
};

GTEKIT_INLINE Vector operator+(Vector a, Vector b) { return {_mm512_add_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector operator-(Vector a, Vector b) { return {_mm512_sub_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector operator*(Vector a, Vector b) { return {_mm512_mul_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector fma(Vector a, Vector b, Vector c) { return {_mm512_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }
GTEKIT_INLINE Vector max(Vector a, Vector b) { return {_mm512_max_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector min(Vector a, Vector b) { return {_mm512_min_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector round(Vector a) { return {_mm512_roundscale_ps(a.lanes, _MM_FROUND_TO_NEAREST_INT)}; }
GTEKIT_INLINE Vector times_two_to(Vector a, Vector n) { return {_mm512_scalef_ps(a.lanes, n.lanes)}; }

constexpr size_t kTileRows = 12;  // 12 x 2 accumulators, 2 weights, 1 broadcast: 27 of 32 registers
constexpr size_t kTilePanels = 2;

#include "kernels/algorithms.h"

}  // namespace

const KernelTable kAvx512 = {"avx512", linear, softmax, layer_norm, gelu_array};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
