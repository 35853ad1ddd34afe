// The kernels of exact search, written once over a vector type: included behind algorithms.h, by the same files and for
// the same reasons. What they need of `Vector` beyond it: at_least(a, b), a bit for each lane, and transpose(square),
// which swaps rows and columns of kLanes vectors.

GTEKIT_INLINE Vector load_weights(const float* p, size_t n) { return Vector::load(p, n, 0.0f); }
template <typename Narrow>
GTEKIT_INLINE Vector load_weights(const Narrow* p, size_t n) {
  Narrow values[Vector::kLanes] = {};
  for (size_t i = 0; i < n; ++i) values[i] = p[i];
  return load_weights(values);
}

// Squares of kLanes rows by kLanes numbers, transposed in registers: take(square, k, count) gets the first `count`
// vectors that hold numbers k, k + 1, ... of all rows.
template <typename Number, typename Take>
GTEKIT_INLINE void each_square(const void* const* rows, size_t n, size_t ahead, const Take& take) {
  const Number* from[Vector::kLanes];
  for (size_t r = 0; r < Vector::kLanes; ++r) from[r] = static_cast<const Number*>(rows[r]);
  const size_t whole = n / Vector::kLanes * Vector::kLanes;
  Vector square[Vector::kLanes];
  for (size_t k = 0; k < whole; k += Vector::kLanes) {
    GTEKIT_UNROLL
    for (size_t r = 0; r < Vector::kLanes; ++r) {
      square[r] = load_weights(from[r] + k);
      GTEKIT_PREFETCH(reinterpret_cast<const char*>(from[r] + k) + ahead);
    }
    transpose(square);
    take(square, k, Vector::kLanes);
  }
  if (whole == n) return;
  for (size_t r = 0; r < Vector::kLanes; ++r) square[r] = load_weights(from[r] + whole, n - whole);
  transpose(square);
  take(square, whole, n - whole);
}

template <typename Number>
void pack_rows_of(const void* const* rows, size_t n, size_t ahead, float* panel) {
  for (size_t first = 0; first < kPanel; first += Vector::kLanes) {
    float* const out = panel + first;
    each_square<Number>(rows + first, n, ahead, [&](const auto& square, size_t k, size_t count) GTEKIT_INLINE_LAMBDA {
      GTEKIT_UNROLL
      for (size_t i = 0; i < Vector::kLanes; ++i) {
        if (i < count) square[i].store(out + (k + i) * kPanel);
      }
    });
  }
}

template <typename Number>
void multiply_rows_of(const void* const* rows, size_t n, size_t ahead, const float* query, float* out) {
  for (size_t first = 0; first < kPanel; first += Vector::kLanes) {
    Vector sum = Vector::zero();
    each_square<Number>(rows + first, n, ahead, [&](const auto& square, size_t k, size_t count) GTEKIT_INLINE_LAMBDA {
      GTEKIT_UNROLL
      for (size_t i = 0; i < Vector::kLanes; ++i) {
        if (i < count) sum = fma(Vector::broadcast(query[k + i]), square[i], sum);
      }
    });
    (sum + Vector::zero()).store(out + first);  // as `linear` adds no bias: -0 becomes 0
  }
}

void pack_rows(const void* const* rows, Dtype dtype, size_t n, size_t ahead, float* panel) {
  switch (dtype) {
    case Dtype::float32:
      return pack_rows_of<float>(rows, n, ahead, panel);
    case Dtype::float16:
      return pack_rows_of<Half>(rows, n, ahead, panel);
    case Dtype::bfloat16:
      return pack_rows_of<Bfloat16>(rows, n, ahead, panel);
  }
}

void multiply_rows(const void* const* rows, Dtype dtype, size_t n, size_t ahead, const float* query, float* out) {
  switch (dtype) {
    case Dtype::float32:
      return multiply_rows_of<float>(rows, n, ahead, query, out);
    case Dtype::float16:
      return multiply_rows_of<Half>(rows, n, ahead, query, out);
    case Dtype::bfloat16:
      return multiply_rows_of<Bfloat16>(rows, n, ahead, query, out);
  }
}

size_t at_least(const float* x, size_t n, float least, uint32_t* places) {
  constexpr size_t kAtOnce = 64 / Vector::kLanes < 4 ? 64 / Vector::kLanes : 4;
  const Vector bar = Vector::broadcast(least);
  size_t found = 0;
  const auto take = [&](uint64_t bits, size_t first) {
    for (; bits; bits &= bits - 1) places[found++] = static_cast<uint32_t>(first + lowest_bit(bits));
  };
  size_t i = 0;
  for (; i + kAtOnce * Vector::kLanes <= n; i += kAtOnce * Vector::kLanes) {
    uint64_t bits = 0;
    for (size_t j = 0; j < kAtOnce; ++j) {
      bits |= uint64_t{at_least(Vector::load(x + i + j * Vector::kLanes), bar)} << j * Vector::kLanes;
    }
    take(bits, i);
  }
  for (; i < n; i += Vector::kLanes) {
    const size_t rest = n - i < Vector::kLanes ? n - i : Vector::kLanes;
    take(at_least(Vector::load(x + i, rest, NAN), bar), i);
  }
  return found;
}
