// AVX2, FMA and F16C: Intel since Haswell (2013), AMD since Excavator and all of Zen.
#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "kernels/table.h"
#include "kernels/target.h"

GTEKIT_TARGET("avx2,fma,f16c")

namespace gtekit {
namespace {

struct Vector {
  static constexpr size_t kLanes = 8;
  __m256 lanes;

  static GTEKIT_INLINE Vector zero() { return {_mm256_setzero_ps()}; }
  static GTEKIT_INLINE Vector broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static GTEKIT_INLINE Vector load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static GTEKIT_INLINE Vector load(const float* p, size_t n, float fill) {
    const __m256i mask = first(n);
    return {_mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask))};
  }
  static GTEKIT_INLINE Vector load_half(const uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  static GTEKIT_INLINE Vector load_bfloat16(const uint16_t* p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
  }
  GTEKIT_INLINE void store(float* p) const { _mm256_storeu_ps(p, lanes); }
  GTEKIT_INLINE void store(float* p, size_t n) const { _mm256_maskstore_ps(p, first(n), lanes); }
  GTEKIT_INLINE float sum() const {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
  }
  GTEKIT_INLINE float largest() const {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
  }
  static GTEKIT_INLINE __m256i first(size_t n) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), index);
  }
};

GTEKIT_INLINE Vector operator+(Vector a, Vector b) { return {_mm256_add_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector operator-(Vector a, Vector b) { return {_mm256_sub_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector operator*(Vector a, Vector b) { return {_mm256_mul_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector fma(Vector a, Vector b, Vector c) { return {_mm256_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }
GTEKIT_INLINE Vector max(Vector a, Vector b) { return {_mm256_max_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector min(Vector a, Vector b) { return {_mm256_min_ps(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector round(Vector a) {
  return {_mm256_round_ps(a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
// n is whole and in [-126, 127]: 2^n is built in the exponent bits
GTEKIT_INLINE Vector times_two_to(Vector a, Vector n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.lanes), _mm256_set1_epi32(127));
  return {_mm256_mul_ps(a.lanes, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)))};
}

constexpr size_t kTileRows = 6;  // 6 x 2 accumulators, 2 weights, 1 broadcast: 15 of 16 registers
constexpr size_t kTilePanels = 1;

#include "kernels/algorithms.h"

}  // namespace

const KernelTable kAvx2 = {"avx2", linear, softmax, layer_norm, gelu_array};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
