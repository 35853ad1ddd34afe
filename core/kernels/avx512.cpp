// AVX-512 F, BW, DQ, VL: Intel servers since Skylake, AMD since Zen 4.
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

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands inside its own intrinsics for mistakes (its bug 105593)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

GTEKIT_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

namespace gtekit {
namespace {

#include "kernels/avx512_vector.h"

constexpr size_t kTileRows = 12;  // 12 x 2 accumulators, 2 weights, 1 broadcast: 27 of 32 registers
constexpr size_t kTilePanels = 2;
constexpr size_t kTallTileRows = 24;  // of one panel: as many accumulators

#include "kernels/algorithms.h"
#include "kernels/search_algorithms.h"

// Without VNNI bytes are widened to 16 bits: products of adjacent bytes could overflow the 16 bits that maddubs gives.
// Even and odd bytes go apart, so that widening is a mask or a shift.
struct FourBytes {
  __m512i even, odd;
};
struct FourWeights {
  __m512i even, odd;
};
GTEKIT_INLINE FourBytes four_bytes(const uint8_t* p) {
  const __m512i four = broadcast_four(p);
  return {_mm512_and_si512(four, _mm512_set1_epi32(0x00ff00ff)), _mm512_srli_epi16(four, 8)};
}
GTEKIT_INLINE FourWeights four_weights(const int8_t* p) {
  const __m512i four = _mm512_loadu_si512(p);
  return {_mm512_srai_epi16(_mm512_slli_epi16(four, 8), 8), _mm512_srai_epi16(four, 8)};
}
GTEKIT_INLINE void dot(Ints& sum, FourBytes x, FourWeights w) {
  sum.lanes = _mm512_add_epi32(sum.lanes, _mm512_madd_epi16(x.even, w.even));
  sum.lanes = _mm512_add_epi32(sum.lanes, _mm512_madd_epi16(x.odd, w.odd));
}
constexpr int kTakenOff = 0;
GTEKIT_INLINE void hide(FourBytes& x) {
  GTEKIT_HIDE("v", x.even);
  GTEKIT_HIDE("v", x.odd);
}

constexpr size_t kByteTileRows = 6;  // 6 x 3 sums, 3 x 2 weights, 2 of x: 26 of 32 registers
constexpr size_t kByteTilePanels = 3;

#include "kernels/byte_algorithms.h"

}  // namespace

const KernelTable kAvx512 = {"avx512",      linear,       byte_linear, quantize,      softmax,    pack_queries,
                             pack_keys,     pack_values,  byte_scores, byte_softmax,  layer_norm, gelu_array,
                             float_ceiling, byte_ceiling, pack_rows,   multiply_rows, at_least};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
