// Vectors of AVX2, FMA and F16C. Included inside the anonymous namespace of each kernel file that has them.

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
GTEKIT_INLINE Vector magnitude(Vector a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.lanes)}; }
GTEKIT_INLINE Vector round(Vector a) {
  return {_mm256_round_ps(a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
// n is whole and in [-126, 127]: 2^n is built in the exponent bits
GTEKIT_INLINE Vector times_two_to(Vector a, Vector n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.lanes), _mm256_set1_epi32(127));
  return {_mm256_mul_ps(a.lanes, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)))};
}

struct Power {
  Vector fraction, whole;
};
GTEKIT_INLINE Power split(Vector a) {
  const Vector whole = {_mm256_round_ps(a.lanes, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
  return {a - whole, whole};
}

GTEKIT_INLINE uint32_t at_least(Vector a, Vector b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.lanes, b.lanes, _CMP_GE_OQ)));
}

GTEKIT_INLINE __m256 low_pairs(__m256 a, __m256 b) {
  return _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}
GTEKIT_INLINE __m256 high_pairs(__m256 a, __m256 b) {
  return _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}
GTEKIT_INLINE void transpose(Vector (&square)[8]) {
  __m256 fours[8];  // fours[4 * i + j]: number j and 4 + j of rows 4 * i to 4 * i + 3
  GTEKIT_UNROLL
  for (size_t i = 0; i < 8; i += 4) {
    const __m256 low_a = _mm256_unpacklo_ps(square[i].lanes, square[i + 1].lanes);
    const __m256 high_a = _mm256_unpackhi_ps(square[i].lanes, square[i + 1].lanes);
    const __m256 low_b = _mm256_unpacklo_ps(square[i + 2].lanes, square[i + 3].lanes);
    const __m256 high_b = _mm256_unpackhi_ps(square[i + 2].lanes, square[i + 3].lanes);
    fours[i] = low_pairs(low_a, low_b);
    fours[i + 1] = high_pairs(low_a, low_b);
    fours[i + 2] = low_pairs(high_a, high_b);
    fours[i + 3] = high_pairs(high_a, high_b);
  }
  GTEKIT_UNROLL
  for (size_t j = 0; j < 4; ++j) {
    square[j].lanes = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x20);
    square[4 + j].lanes = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x31);
  }
}

struct Ints {
  __m256i lanes;

  static GTEKIT_INLINE Ints zero() { return {_mm256_setzero_si256()}; }
  static GTEKIT_INLINE Ints load(const int32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  static GTEKIT_INLINE Ints load(const int32_t* p, size_t n, int32_t fill) {
    const __m256i mask = Vector::first(n);
    return {_mm256_blendv_epi8(_mm256_set1_epi32(fill), _mm256_maskload_epi32(p, mask), mask)};
  }
  static GTEKIT_INLINE Ints broadcast(int32_t x) { return {_mm256_set1_epi32(x)}; }
  GTEKIT_INLINE void store(void* p) const { _mm256_storeu_si256(static_cast<__m256i*>(p), lanes); }
  GTEKIT_INLINE int32_t sum() const {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    four = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 1)));
  }
  GTEKIT_INLINE int32_t largest() const {
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    four = _mm_max_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, 1)));
  }
};

GTEKIT_INLINE Ints operator+(Ints a, Ints b) { return {_mm256_add_epi32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator*(Ints a, Ints b) { return {_mm256_mullo_epi32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator&(Ints a, Ints b) { return {_mm256_and_si256(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints operator|(Ints a, Ints b) { return {_mm256_or_si256(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints max(Ints a, Ints b) { return {_mm256_max_epi32(a.lanes, b.lanes)}; }
GTEKIT_INLINE Ints first_lanes(Ints a, size_t n) { return {_mm256_and_si256(a.lanes, Vector::first(n))}; }
GTEKIT_INLINE Ints shifted_by_a_byte(Ints a) { return {_mm256_slli_epi32(a.lanes, 8)}; }
GTEKIT_INLINE Ints to_ints(Vector a) { return {_mm256_cvtps_epi32(a.lanes)}; }
GTEKIT_INLINE Vector to_floats(Ints a) { return {_mm256_cvtepi32_ps(a.lanes)}; }
GTEKIT_INLINE int64_t to_bytes(Ints a) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(a.lanes), _mm256_extracti128_si256(a.lanes, 1));
  return _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
}
GTEKIT_INLINE void store_bytes(Ints a, uint8_t* p) {
  const int64_t bytes = to_bytes(a);
  std::memcpy(p, &bytes, sizeof bytes);
}
GTEKIT_INLINE void store_low_bytes(Ints a, uint8_t* p) {
  const Ints low = a & Ints::broadcast(255);
  store_bytes(low, p);
}
GTEKIT_INLINE void store_bytes(Ints a, uint8_t* p, size_t n) {
  const int64_t bytes = to_bytes(a);
  std::memcpy(p, &bytes, n);
}

GTEKIT_INLINE __m256i broadcast_four(const uint8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}
