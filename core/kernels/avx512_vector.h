// Vectors of AVX-512 F, BW, DQ and VL. Included inside the anonymous namespace of each kernel file that has them.

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
GTEKIT_INLINE Vector magnitude(Vector a) { return {_mm512_abs_ps(a.lanes)}; }
GTEKIT_INLINE Vector round(Vector a) { return {_mm512_roundscale_ps(a.lanes, _MM_FROUND_TO_NEAREST_INT)}; }
GTEKIT_INLINE Vector times_two_to(Vector a, Vector n) { return {_mm512_scalef_ps(a.lanes, n.lanes)}; }
// scaling takes the whole part of its own accord
struct Power {
  Vector fraction, whole;
};
GTEKIT_INLINE Power split(Vector a) {
  return {{_mm512_reduce_ps(a.lanes, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}, a};
}

GTEKIT_INLINE uint32_t at_least(Vector a, Vector b) { return _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_GE_OQ); }

GTEKIT_INLINE __m512 low_pairs(__m512 a, __m512 b) {
  return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
GTEKIT_INLINE __m512 high_pairs(__m512 a, __m512 b) {
  return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
GTEKIT_INLINE void transpose(Vector (&square)[16]) {
  __m512 fours[16];  // fours[4 * i + j]: number j, 4 + j, 8 + j, 12 + j of rows 4 * i to 4 * i + 3
  GTEKIT_UNROLL
  for (size_t i = 0; i < 16; i += 4) {
    const __m512 low_a = _mm512_unpacklo_ps(square[i].lanes, square[i + 1].lanes);
    const __m512 high_a = _mm512_unpackhi_ps(square[i].lanes, square[i + 1].lanes);
    const __m512 low_b = _mm512_unpacklo_ps(square[i + 2].lanes, square[i + 3].lanes);
    const __m512 high_b = _mm512_unpackhi_ps(square[i + 2].lanes, square[i + 3].lanes);
    fours[i] = low_pairs(low_a, low_b);
    fours[i + 1] = high_pairs(low_a, low_b);
    fours[i + 2] = low_pairs(high_a, high_b);
    fours[i + 3] = high_pairs(high_a, high_b);
  }
  GTEKIT_UNROLL
  for (size_t j = 0; j < 4; ++j) {
    const __m512 even_a = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x88);
    const __m512 odd_a = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xdd);
    const __m512 even_b = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512 odd_b = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xdd);
    square[j].lanes = _mm512_shuffle_f32x4(even_a, even_b, 0x88);
    square[4 + j].lanes = _mm512_shuffle_f32x4(odd_a, odd_b, 0x88);
    square[8 + j].lanes = _mm512_shuffle_f32x4(even_a, even_b, 0xdd);
    square[12 + j].lanes = _mm512_shuffle_f32x4(odd_a, odd_b, 0xdd);
  }
}

struct Ints {
  __m512i lanes;

  static GTEKIT_INLINE Ints zero() { return {_mm512_setzero_si512()}; }
  static GTEKIT_INLINE Ints load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
  static GTEKIT_INLINE Ints load(const int32_t* p, size_t n, int32_t fill) {
    return {_mm512_mask_loadu_epi32(_mm512_set1_epi32(fill), Vector::first(n), p)};
  }
  static GTEKIT_INLINE Ints broadcast(int32_t x) { return {_mm512_set1_epi32(x)}; }
  GTEKIT_INLINE void store(void* p) const { _mm512_storeu_si512(p, lanes); }
  GTEKIT_INLINE int32_t sum() const { return _mm512_reduce_add_epi32(lanes); }
  GTEKIT_INLINE int32_t largest() const { return _mm512_reduce_max_epi32(lanes); }
};

GTEKIT_INLINE Ints operator+(Ints a, Ints b) { return {_mm512_add_epi32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator*(Ints a, Ints b) { return {_mm512_mullo_epi32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator&(Ints a, Ints b) { return {_mm512_and_si512(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator|(Ints a, Ints b) { return {_mm512_or_si512(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints max(Ints a, Ints b) { return {_mm512_max_epi32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints first_lanes(Ints a, size_t n) { return {_mm512_maskz_mov_epi32(Vector::first(n), a.lanes)}; }
GTEKIT_INLINE Ints shifted_by_a_byte(Ints a) { return {_mm512_slli_epi32(a.lanes, 8)}; }
GTEKIT_INLINE Ints to_ints(Vector a) { return {_mm512_cvtps_epi32(a.lanes)}; }
GTEKIT_INLINE Vector to_floats(Ints a) { return {_mm512_cvtepi32_ps(a.lanes)}; }
// saturating from below as well: the instruction takes its 32 bits for unsigned
GTEKIT_INLINE __m128i to_bytes(Ints a) {
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(a.lanes, _mm512_setzero_si512()));
}
GTEKIT_INLINE void store_low_bytes(Ints a, uint8_t* p) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a.lanes));
}
GTEKIT_INLINE void store_bytes(Ints a, uint8_t* p) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_bytes(a)); }
GTEKIT_INLINE void store_bytes(Ints a, uint8_t* p, size_t n) { _mm_mask_storeu_epi8(p, Vector::first(n), to_bytes(a)); }

GTEKIT_INLINE __m512i broadcast_four(const uint8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}
