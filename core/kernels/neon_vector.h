// Vectors of NEON. Included inside the anonymous namespace of each kernel file that has them.

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
GTEKIT_INLINE Vector magnitude(Vector a) { return {vabsq_f32(a.lanes)}; }
GTEKIT_INLINE Vector round(Vector a) { return {vrndnq_f32(a.lanes)}; }
// n is whole and in [-126, 127]: 2^n is built in the exponent bits
GTEKIT_INLINE Vector times_two_to(Vector a, Vector n) {
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.lanes), vdupq_n_s32(127));
  return {vmulq_f32(a.lanes, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)))};
}

struct Power {
  Vector fraction, whole;
};
GTEKIT_INLINE Power split(Vector a) {
  const Vector whole = {vrndmq_f32(a.lanes)};
  return {a - whole, whole};
}

GTEKIT_INLINE uint32_t at_least(Vector a, Vector b) {
  constexpr uint32_t kBits[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcgeq_f32(a.lanes, b.lanes), vld1q_u32(kBits)));
}

GTEKIT_INLINE void transpose(Vector (&square)[4]) {
  const float32x4x2_t a = vtrnq_f32(square[0].lanes, square[1].lanes);
  const float32x4x2_t b = vtrnq_f32(square[2].lanes, square[3].lanes);
  square[0].lanes = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  square[1].lanes = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  square[2].lanes = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  square[3].lanes = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

struct Ints {
  int32x4_t lanes;

  static GTEKIT_INLINE Ints zero() { return {vdupq_n_s32(0)}; }
  static GTEKIT_INLINE Ints load(const int32_t* p) { return {vld1q_s32(p)}; }
  static GTEKIT_INLINE Ints load(const int32_t* p, size_t n, int32_t fill) {
    int32_t values[Vector::kLanes] = {fill, fill, fill, fill};
    for (size_t i = 0; i < n; ++i) values[i] = p[i];
    return load(values);
  }
  static GTEKIT_INLINE Ints broadcast(int32_t x) { return {vdupq_n_s32(x)}; }
  GTEKIT_INLINE void store(void* p) const { vst1q_u8(static_cast<uint8_t*>(p), vreinterpretq_u8_s32(lanes)); }
  GTEKIT_INLINE int32_t sum() const { return vaddvq_s32(lanes); }
  GTEKIT_INLINE int32_t largest() const { return vmaxvq_s32(lanes); }
};

GTEKIT_INLINE Ints operator+(Ints a, Ints b) { return {vaddq_s32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator*(Ints a, Ints b) { return {vmulq_s32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator&(Ints a, Ints b) { return {vandq_s32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator|(Ints a, Ints b) { return {vorrq_s32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints max(Ints a, Ints b) { return {vmaxq_s32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints first_lanes(Ints a, size_t n) {
  int32_t values[Vector::kLanes];
  vst1q_s32(values, a.lanes);
  for (size_t i = n; i < Vector::kLanes; ++i) values[i] = 0;
  return Ints::load(values);
}
GTEKIT_INLINE Ints shifted_by_a_byte(Ints a) { return {vshlq_n_s32(a.lanes, 8)}; }
GTEKIT_INLINE Ints to_ints(Vector a) { return {vcvtnq_s32_f32(a.lanes)}; }
GTEKIT_INLINE Vector to_floats(Ints a) { return {vcvtq_f32_s32(a.lanes)}; }
GTEKIT_INLINE void store_bytes(Ints a, uint8_t* p, size_t n) {
  const uint16x4_t words = vqmovun_s32(a.lanes);
  const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
  const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
  std::memcpy(p, &four, n);
}
GTEKIT_INLINE void store_bytes(Ints a, uint8_t* p) { store_bytes(a, p, Vector::kLanes); }
GTEKIT_INLINE void store_low_bytes(Ints a, uint8_t* p) { store_bytes(a & Ints::broadcast(255), p); }

GTEKIT_INLINE uint8x16_t broadcast_four(const uint8_t* p) {
  uint32_t four;
  std::memcpy(&four, p, sizeof four);
  return vreinterpretq_u8_u32(vdupq_n_u32(four));
}
