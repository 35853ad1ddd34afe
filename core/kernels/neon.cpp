// NEON: every 64-bit Arm.
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

namespace gtekit {
namespace {

#include "kernels/neon_vector.h"

constexpr size_t kTileRows = 6;  // 6 x 4 accumulators, 4 weights, 1 broadcast: 29 of 32 registers
constexpr size_t kTilePanels = 1;
constexpr size_t kTallTileRows = kTileRows;

#include "kernels/algorithms.h"
#include "kernels/search_algorithms.h"

// Without dot products: bytes are widened to 16 bits, multiplied into 32, and added pair by pair.
struct FourBytes {
  int16x8_t lanes;
};
struct FourWeights {
  int16x8_t low, high;  // two lanes each
};
GTEKIT_INLINE FourBytes four_bytes(const uint8_t* p) {
  return {vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(broadcast_four(p))))};
}
GTEKIT_INLINE FourWeights four_weights(const int8_t* p) {
  const int8x16_t four = vld1q_s8(p);
  return {vmovl_s8(vget_low_s8(four)), vmovl_s8(vget_high_s8(four))};
}
GTEKIT_INLINE int32x4_t two_lanes(int16x8_t x, int16x8_t w) {
  const int32x4_t first = vmull_s16(vget_low_s16(x), vget_low_s16(w));
  const int32x4_t second = vmull_s16(vget_high_s16(x), vget_high_s16(w));
  return vpaddq_s32(first, second);
}
GTEKIT_INLINE void dot(Ints& sum, FourBytes x, FourWeights w) {
  sum.lanes = vaddq_s32(sum.lanes, vpaddq_s32(two_lanes(x.lanes, w.low), two_lanes(x.lanes, w.high)));
}
constexpr int kTakenOff = 0;
GTEKIT_INLINE void hide(FourBytes& x) { GTEKIT_HIDE("w", x.lanes); }

constexpr size_t kByteTileRows = 3;  // 3 x 4 sums, 4 x 2 weights, 1 of x and what the products pass through
constexpr size_t kByteTilePanels = 1;

#include "kernels/byte_algorithms.h"

}  // namespace

const KernelTable kNeon = {"neon",        linear,       byte_linear, quantize,      softmax,    pack_queries,
                           pack_keys,     pack_values,  byte_scores, byte_softmax,  layer_norm, gelu_array,
                           float_ceiling, byte_ceiling, pack_rows,   multiply_rows, at_least};

}  // namespace gtekit

#endif
