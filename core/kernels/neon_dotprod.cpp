// NEON with dot products: Graviton 2 and later, Apple M, Cortex-A75 and later.
#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/table.h"
#include "kernels/target.h"

GTEKIT_TARGET("arch=armv8.2-a+dotprod")

namespace gtekit {
namespace {

#include "kernels/neon_vector.h"

constexpr size_t kTileRows = 6;  // 6 x 4 accumulators, 4 weights, 1 broadcast: 29 of 32 registers
constexpr size_t kTilePanels = 1;
constexpr size_t kTallTileRows = kTileRows;

#include "kernels/algorithms.h"
#include "kernels/search_algorithms.h"

// The instruction takes signed bytes on both sides, ours are unsigned on one: they go in less 128.
struct FourBytes {
  int8x16_t lanes;
};
struct FourWeights {
  int8x16_t lanes;
};
GTEKIT_INLINE FourBytes four_bytes(const uint8_t* p) {
  return {vreinterpretq_s8_u8(veorq_u8(broadcast_four(p), vdupq_n_u8(0x80)))};
}
GTEKIT_INLINE FourWeights four_weights(const int8_t* p) { return {vld1q_s8(p)}; }
GTEKIT_INLINE void dot(Ints& sum, FourBytes x, FourWeights w) { sum.lanes = vdotq_s32(sum.lanes, x.lanes, w.lanes); }
constexpr int kTakenOff = 128;
GTEKIT_INLINE void hide(FourBytes& x) { GTEKIT_HIDE("w", x.lanes); }

constexpr size_t kByteTileRows = 6;  // 6 x 4 sums, 4 weights, 1 of x: 29 of 32 registers
constexpr size_t kByteTilePanels = 1;

#include "kernels/byte_algorithms.h"

}  // namespace

const KernelTable kNeonDotprod = {"neon_dotprod", linear,       byte_linear, quantize,      softmax,    pack_queries,
                                  pack_keys,      pack_values,  byte_scores, byte_softmax,  layer_norm, gelu_array,
                                  float_ceiling,  byte_ceiling, pack_rows,   multiply_rows, at_least};

}  // namespace gtekit

GTEKIT_TARGET_END

#endif
