// AVX2 with VNNI in its VEX encoding: Intel clients since Alder Lake (2021), AMD since Zen 5.
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

GTEKIT_TARGET("avxvnni,avx2,fma,f16c")

namespace gtekit {
namespace {

#include "kernels/avx2_vector.h"

constexpr size_t kTileRows = 6;  // 6 x 2 accumulators, 2 weights, 1 broadcast: 15 of 16 registers
constexpr size_t kTilePanels = 1;
constexpr size_t kTallTileRows = kTileRows;

#include "kernels/algorithms.h"
#include "kernels/search_algorithms.h"

struct FourBytes {
  __m256i lanes;
};
struct FourWeights {
  __m256i lanes;
};
GTEKIT_INLINE FourBytes four_bytes(const uint8_t* p) { return {broadcast_four(p)}; }
GTEKIT_INLINE FourWeights four_weights(const int8_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
GTEKIT_INLINE void dot(Ints& sum, FourBytes x, FourWeights w) {
#if defined(__GNUC__)
  // with the intrinsic, GCC 12 copies and spills every sum of a tile: half the speed
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.lanes) : "x"(x.lanes), "x"(w.lanes));
#else
  sum.lanes = _mm256_dpbusd_avx_epi32(sum.lanes, x.lanes, w.lanes);
#endif
}
constexpr int kTakenOff = 0;
GTEKIT_INLINE void hide(FourBytes& x) { GTEKIT_HIDE("x", x.lanes); }

constexpr size_t kByteTileRows = 6;  // 6 x 2 sums, 2 weights, 1 of x: 15 of 16 registers
constexpr size_t kByteTilePanels = 1;

#include "kernels/byte_algorithms.h"

}  // namespace

const KernelTable kAvxVnni = {"avx_vnni",    linear,       byte_linear, quantize,      softmax,    pack_queries,
                              pack_keys,     pack_values,  byte_scores, byte_softmax,  layer_norm, gelu_array,
                              float_ceiling, byte_ceiling, pack_rows,   multiply_rows, at_least};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
