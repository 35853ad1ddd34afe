// AVX-512 with VNNI: Intel servers since Cascade Lake, AMD since Zen 4.
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

GTEKIT_TARGET("avx512vnni,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")

namespace gtekit {
namespace {

#include "kernels/avx512_vector.h"

constexpr size_t kTileRows = 12;  // 12 x 2 accumulators, 2 weights, 1 broadcast: 27 of 32 registers
constexpr size_t kTilePanels = 2;
constexpr size_t kTallTileRows = 24;  // of one panel: as many accumulators

#include "kernels/algorithms.h"
#include "kernels/search_algorithms.h"

struct FourBytes {
  __m512i lanes;
};
struct FourWeights {
  __m512i lanes;
};
GTEKIT_INLINE FourBytes four_bytes(const uint8_t* p) { return {broadcast_four(p)}; }
GTEKIT_INLINE FourWeights four_weights(const int8_t* p) { return {_mm512_loadu_si512(p)}; }
GTEKIT_INLINE void dot(Ints& sum, FourBytes x, FourWeights w) {
#if defined(__GNUC__)
  // with the intrinsic, GCC 12 copies and spills every sum of a tile: half the speed
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.lanes) : "v"(x.lanes), "v"(w.lanes));
#else
  sum.lanes = _mm512_dpbusd_epi32(sum.lanes, x.lanes, w.lanes);
#endif
}
constexpr int kTakenOff = 0;
GTEKIT_INLINE void hide(FourBytes& x) { GTEKIT_HIDE("v", x.lanes); }

// 5 x 3 sums, 3 weights, 1 of x: 19 of 32 registers. On a Zen 4, with groups of 128 and weights at hand, that gives
// 92 % of the ceiling before bias and the like; 6 x 3, 8 x 3 and 6 x 2, which fit too, give 90, 89 and 89 %.
constexpr size_t kByteTileRows = 5;
constexpr size_t kByteTilePanels = 3;

#include "kernels/byte_algorithms.h"

}  // namespace

const KernelTable kAvx512Vnni = {"avx512_vnni", linear,       byte_linear, quantize,      softmax,    pack_queries,
                                 pack_keys,     pack_values,  byte_scores, byte_softmax,  layer_norm, gelu_array,
                                 float_ceiling, byte_ceiling, pack_rows,   multiply_rows, at_least};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
