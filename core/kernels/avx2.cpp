// AVX2, FMA and F16C: Intel since Haswell (2013), AMD since Excavator and all of Zen.
#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/table.h"
#include "kernels/target.h"

GTEKIT_TARGET("avx2,fma,f16c")

namespace gtekit {
namespace {

#include "kernels/avx2_vector.h"

constexpr size_t kTileRows = 6;  // 6 x 2 accumulators, 2 weights, 1 broadcast: 15 of 16 registers
constexpr size_t kTilePanels = 1;
constexpr size_t kTallTileRows = kTileRows;

#include "kernels/algorithms.h"
#include "kernels/search_algorithms.h"

// Without VNNI bytes are widened to 16 bits: products of adjacent bytes could overflow the 16 bits that maddubs gives.
// Even and odd bytes go apart, so that widening is a mask or a shift.
struct FourBytes {
  __m256i even, odd;
};
struct FourWeights {
  __m256i even, odd;
};
GTEKIT_INLINE FourBytes four_bytes(const uint8_t* p) {
  const __m256i four = broadcast_four(p);
  return {_mm256_and_si256(four, _mm256_set1_epi32(0x00ff00ff)), _mm256_srli_epi16(four, 8)};
}
GTEKIT_INLINE FourWeights four_weights(const int8_t* p) {
  const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8), _mm256_srai_epi16(four, 8)};
}
GTEKIT_INLINE void dot(Ints& sum, FourBytes x, FourWeights w) {
  sum.lanes = _mm256_add_epi32(sum.lanes, _mm256_madd_epi16(x.even, w.even));
  sum.lanes = _mm256_add_epi32(sum.lanes, _mm256_madd_epi16(x.odd, w.odd));
}
constexpr int kTakenOff = 0;
GTEKIT_INLINE void hide(FourBytes& x) {
  GTEKIT_HIDE("x", x.even);
  GTEKIT_HIDE("x", x.odd);
}

constexpr size_t kByteTileRows = 4;  // 4 x 2 sums, 2 x 2 weights, 2 of x: 14 of 16 registers
constexpr size_t kByteTilePanels = 1;

#include "kernels/byte_algorithms.h"

}  // namespace

const KernelTable kAvx2 = {"avx2",        linear,       byte_linear, quantize,      softmax,    pack_queries,
                           pack_keys,     pack_values,  byte_scores, byte_softmax,  layer_norm, gelu_array,
                           float_ceiling, byte_ceiling, pack_rows,   multiply_rows, at_least};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
