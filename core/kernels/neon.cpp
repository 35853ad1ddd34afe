// NEON: every 64-bit Arm.
#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "kernels/table.h"
#include "kernels/target.h"

namespace gtekit {
namespace {

struct Vector {
  static constexpr size_t kLanes = 4;
  float32x4_t lanes;

  static GTEKIT_INLINE Vector zero() { return {vdupq_n_f32(0.0f)}; }
  static GTEKIT_INLINE Vector broadcast(float x) { return {vdupq_n_f32(x)}; }
  static GTEKIT_INLINE Vector load(const float* p) { return {vld1q_f32(p)}; }
  static GTEKIT_INLINE Vector load(const float* p, size_t n, float fill) {
    float values[kLanes] = {fill, fill, fill, fill};
    for (size_t i = 0; i < n; ++i) values[i] = p[i];
    return load(values);
  }
  static GTEKIT_INLINE Vector load_half(const uint16_t* p) { return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))}; }
  static GTEKIT_INLINE Vector load_bfloat16(const uint16_t* p) {
    return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
  }
  GTEKIT_INLINE void store(float* p) const { vst1q_f32(p, lanes); }
  GTEKIT_INLINE void store(float* p, size_t n) const {
    float values[kLanes];
    store(values);
    for (size_t i = 0; i < n; ++i) p[i] = values[i];
  }
  GTEKIT_INLINE float sum() const { return vaddvq_f32(lanes); }
  GTEKIT_INLINE float largest() const { return vmaxvq_f32(lanes); }
};

GTEKIT_INLINE Vector operator+(Vector a, Vector b) { return {vaddq_f32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector operator-(Vector a, Vector b) { return {vsubq_f32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector operator*(Vector a, Vector b) { return {vmulq_f32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector fma(Vector a, Vector b, Vector c) { return {vfmaq_f32(c.lanes, a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector max(Vector a, Vector b) { return {vmaxq_f32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector min(Vector a, Vector b) { return {vminq_f32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Vector round(Vector a) { return {vrndnq_f32(a.lanes)}; }
// n is whole and in [-126, 127]: 2^n is built in the exponent bits
GTEKIT_INLINE Vector times_two_to(Vector a, Vector n) {
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.lanes), vdupq_n_s32(127));
  return {vmulq_f32(a.lanes, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)))};
}

constexpr size_t kTileRows = 6;  // 6 x 4 accumulators, 4 weights, 1 broadcast: 29 of 32 registers
constexpr size_t kTilePanels = 1;

#include "kernels/algorithms.h"

}  // namespace

const KernelTable kNeon = {"neon", linear, softmax, layer_norm, gelu_array};

}  // namespace gtekit

#endif
