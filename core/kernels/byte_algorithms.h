// The kernels of 8 bits, written once over vectors of 32-bit sums; included after algorithms.h in the same way.
//
// A kernel file offers, besides Vector: Ints (kLanes sums of 32 bits: zero(), load(p), store(p), broadcast(int), +, &,
// |, shifted_by_a_byte, sum()); to_ints(Vector) to the nearest and even; to_floats(Ints); store_bytes(Ints, p) and
// store_bytes(Ints, p, n), which saturate to 0 and 255; FourBytes, four activations for every lane: four_bytes(p);
// FourWeights, four weights a lane: four_weights(p); dot(Ints&, FourBytes, FourWeights), which adds the four products
// of each lane to its sum, exactly; first_sums(p), what the sums of a group begin with, given the sums of its weights;
// and hide(FourBytes&), after which the compiler does not know what they are.

// Coefficients and errors: fit_polynomials.py. Lowest power first. Of a byte's step of 1/255 these errors are nothing.
constexpr float kByteGeluLimit = 3.9f;
constexpr float kByteGelu[] = {0.39794451f,     -0.0646958575f,   0.00884141494f, -0.000830533914f,
                               4.98667177e-05f, -1.70422788e-06f, 2.501673e-08f};
constexpr float kByteExp[] = {254.981873f, 176.785446f, 61.8640327f, 14.0476141f};

// Numbers of a row, each times its factor.
struct Scaled {
  const float* x;
  const float* factors;
  GTEKIT_INLINE Vector load(size_t i) const { return Vector::load(x + i) * Vector::load(factors + i); }
  // the lanes beyond the end are filled up with a value that is there, so that no limit moves
  GTEKIT_INLINE Vector load(size_t i, size_t n) const {
    return Vector::load(x + i, n, x[i]) * Vector::load(factors + i, n, factors[i]);
  }
};
struct Plain {
  const float* x;
  GTEKIT_INLINE Vector load(size_t i) const { return Vector::load(x + i); }
  GTEKIT_INLINE Vector load(size_t i, size_t n) const { return Vector::load(x + i, n, x[i]); }
};

template <typename Numbers>
GTEKIT_INLINE void quantize_group(const Numbers& x, size_t n, uint8_t* bytes, float& step, float& lowest) {
  const size_t whole = n / Vector::kLanes * Vector::kLanes;
  const size_t rest = n - whole;
  const Vector last = rest ? x.load(whole, rest) : x.load(0);
  Vector low = last;
  Vector high = last;
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    const Vector values = x.load(i);
    low = min(low, values);
    high = max(high, values);
  }
  lowest = -(Vector::zero() - low).largest();
  const float range = high.largest() - lowest;
  const bool is_flat = !(range > 1e-30f);  // 255 / range has to be finite
  step = is_flat ? 0.0f : range * (1.0f / 255.0f);
  const Vector inverse = Vector::broadcast(is_flat ? 0.0f : 255.0f / range);
  const Vector shift = Vector::broadcast(lowest);
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    store_bytes(to_ints((x.load(i) - shift) * inverse), bytes + i);
  }
  if (rest) store_bytes(to_ints((last - shift) * inverse), bytes + whole, rest);
}

void quantize(const float* x, size_t stride, size_t rows, size_t n, const float* factors, const ByteRows& out) {
  for (size_t row = 0; row < rows; ++row, x += stride) {
    uint8_t* bytes = out.bytes + row * out.stride;
    for (size_t group = 0; group < out.groups; ++group) {
      const size_t begin = group * out.group;
      const size_t size = begin + out.group < n ? out.group : n - begin;
      const size_t place = row * out.groups + group;
      if (factors) {
        quantize_group(Scaled{x + begin, factors + begin}, size, bytes + begin, out.step[place], out.lowest[place]);
      } else {
        quantize_group(Plain{x + begin}, size, bytes + begin, out.step[place], out.lowest[place]);
      }
    }
    std::memset(bytes + n, 0, out.stride - n);
  }
}

GTEKIT_INLINE Vector magnitude(Vector x) { return max(x, Vector::zero() - x); }

// 127 / largest, or 0 where that would not be finite; the scale of the bytes goes to `scale`.
GTEKIT_INLINE float inverse_of(float largest, float& scale) {
  const bool is_zero = !(largest > 1e-30f);
  scale = is_zero ? 0.0f : largest * (1.0f / 127.0f);
  return is_zero ? 0.0f : 127.0f / largest;
}

void pack_keys(const float* keys, size_t stride, size_t length, size_t head_size, const BytePanels& out) {
  constexpr size_t kMostBytes = 64;  // of a head that goes at once
  const Ints low_byte = Ints::broadcast(255);
  for (size_t key = 0; key < out.outputs; ++key) {
    int8_t* target = out.panels + key / kPanel * kPanel * out.inputs + key % kPanel * kBytesOfSum;
    const float* row = keys + key * stride;
    const size_t size = key < length ? head_size : 0;
    Vector largest = Vector::zero();
    const auto load = [&](size_t e) {
      return e + Vector::kLanes <= size ? Vector::load(row + e)
             : e < size                 ? Vector::load(row + e, size - e, 0.0f)
                                        : Vector::zero();
    };
    for (size_t e = 0; e < size; e += Vector::kLanes) largest = max(largest, magnitude(load(e)));
    const Vector inverse = Vector::broadcast(inverse_of(largest.largest(), out.scale[key]));
    Ints sums = Ints::zero();
    for (size_t first = 0; first < out.inputs; first += kMostBytes) {
      uint8_t bytes[kMostBytes];
      const size_t end = first + kMostBytes < out.inputs ? first + kMostBytes : out.inputs;
      for (size_t e = first; e < end; e += Vector::kLanes) {
        const Ints values = to_ints(load(e) * inverse);
        sums = sums + values;
        store_bytes(values & low_byte, bytes + e - first);
      }
      for (size_t e = first; e < end; e += kBytesOfSum)
        std::memcpy(target + e * kPanel, bytes + e - first, kBytesOfSum);
    }
    out.sums[key] = sums.sum();
  }
}

void pack_values(const float* values, size_t stride, size_t length, size_t head_size, const BytePanels& out) {
  const Ints low_byte = Ints::broadcast(255);
  for (size_t column = 0; column < out.outputs; column += Vector::kLanes) {
    const size_t rest = column < head_size ? head_size - column : 0;
    const auto load = [&](size_t token) {
      const float* row = values + token * stride + column;
      if (token >= length || rest == 0) return Vector::zero();
      return rest >= Vector::kLanes ? Vector::load(row) : Vector::load(row, rest, 0.0f);
    };
    Vector largest = Vector::zero();
    for (size_t token = 0; token < length; ++token) largest = max(largest, magnitude(load(token)));
    float limits[Vector::kLanes];
    largest.store(limits);
    for (size_t n = 0; n < Vector::kLanes; ++n) limits[n] = inverse_of(limits[n], out.scale[column + n]);
    const Vector inverse = Vector::load(limits);
    int8_t* target = out.panels + column / kPanel * kPanel * out.inputs + column % kPanel * kBytesOfSum;
    Ints sums = Ints::zero();
    for (size_t token = 0; token < out.inputs; token += kBytesOfSum, target += kPanel * kBytesOfSum) {
      Ints four = Ints::zero();
      for (size_t t = kBytesOfSum; t-- > 0;) {
        const Ints bytes = to_ints(load(token + t) * inverse);
        sums = sums + bytes;
        four = shifted_by_a_byte(four) | (bytes & low_byte);
      }
      four.store(target);
    }
    sums.store(out.sums + column);
  }
}

int32_t byte_softmax(const float* x, size_t n, float scale, const float* dither, uint8_t* bytes) {
  constexpr float kNothing = -3.0e38f;
  const size_t whole = n / Vector::kLanes * Vector::kLanes;
  const size_t rest = n - whole;
  Vector peaks = rest ? Vector::load(x + whole, rest, kNothing) : Vector::load(x);
  for (size_t i = 0; i < whole; i += Vector::kLanes) peaks = max(peaks, Vector::load(x + i));
  const Vector peak = Vector::broadcast(peaks.largest());
  const Vector factor = Vector::broadcast(scale * 1.44269504f);
  const auto bytes_of = [&](Vector values, Vector thresholds) {
    // 255 * 2^d for d <= 0, never above 254.99, so that it stays a byte; below 2^-20 it is nothing
    const Vector d = max((values - peak) * factor, Vector::broadcast(-20.0f));
    const Vector exponent = round(d);
    return to_ints(times_two_to(polynomial(kByteExp, d - exponent), exponent) + thresholds);
  };
  Ints sums = Ints::zero();
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    const Ints values = bytes_of(Vector::load(x + i), Vector::load(dither + i));
    store_bytes(values, bytes + i);
    sums = sums + values;
  }
  int32_t sum = sums.sum();
  if (rest) {
    store_bytes(bytes_of(Vector::load(x + whole, rest, kNothing), Vector::load(dither + whole, rest, 0.0f)),
                bytes + whole, rest);
    for (size_t i = whole; i < n; ++i) sum += bytes[i];
  }
  std::memset(bytes + n, 0, round_up(n, kBytesOfSum) - n);
  return sum;
}

// GELU for values that go into bytes, x (1/2 + x P(x^2)): absolute error at most 2e-4 * max(1, |x| / 4).
GTEKIT_INLINE Vector byte_gelu(Vector x) {
  const Vector inner = min(max(x, Vector::broadcast(-kByteGeluLimit)), Vector::broadcast(kByteGeluLimit));
  return x * fma(inner, polynomial(kByteGelu, inner * inner), Vector::broadcast(0.5f));
}

// As linear_tile: every sum in a register of its own. Not inlined: GCC 12 then keeps them there.
template <size_t kRows, size_t kPanels>
GTEKIT_NOINLINE void byte_tile(const ByteLinearTask& task, size_t row, size_t panel) {
  constexpr size_t kPerPanel = kPanel / Vector::kLanes;
  constexpr size_t kColumns = kPerPanel * kPanels;
  const size_t stride = task.x.stride;
  const size_t inputs = task.inputs;
  const int8_t* weights = task.panels + panel * inputs * kPanel;
  const uint8_t* bases[(kRows + 2) / 3];
  for (size_t i = 0; i < (kRows + 2) / 3; ++i) bases[i] = task.x.bytes + (row + 3 * i) * stride;

  Vector y[kRows][kColumns];
  GTEKIT_UNROLL
  for (size_t c = 0; c < kColumns; ++c) {
    const Vector bias = task.bias ? Vector::load(task.bias + panel * kPanel + c * Vector::kLanes) : Vector::zero();
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) y[r][c] = bias;
  }
  for (size_t group = 0; group < task.x.groups; ++group) {
    const size_t begin = group * task.x.group;
    const size_t end = begin + task.x.group < inputs ? begin + task.x.group : inputs;
    const size_t column = group * task.scale_stride + panel * kPanel;
    Ints sums[kRows][kColumns];
    GTEKIT_UNROLL
    for (size_t c = 0; c < kColumns; ++c) {
      const Ints start = first_sums(task.weight_sums + column + c * Vector::kLanes);
      GTEKIT_UNROLL
      for (size_t r = 0; r < kRows; ++r) sums[r][c] = start;
    }
    for (size_t k = begin; k < end; k += kBytesOfSum) {
      FourWeights w[kColumns];
      GTEKIT_UNROLL
      for (size_t c = 0; c < kColumns; ++c) {
        const size_t lane = c % kPerPanel * Vector::kLanes * kBytesOfSum;
        const int8_t* place = weights + (c / kPerPanel * inputs + k) * kPanel + lane;
        w[c] = four_weights(place);
        // the panels after these: a short text waits for weights, 2.3 to 1.6 ms for ten tokens of gte-small's shape
        if (c % kPerPanel == 0) GTEKIT_PREFETCH(place + kPanels * inputs * kPanel);
      }
      GTEKIT_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        const FourBytes x = four_bytes(bases[r / 3] + r % 3 * stride + k);
        GTEKIT_UNROLL
        for (size_t c = 0; c < kColumns; ++c) dot(sums[r][c], x, w[c]);
      }
    }
    const float* step = task.x.step + row * task.x.groups + group;
    const float* lowest = task.x.lowest + row * task.x.groups + group;
    GTEKIT_UNROLL
    for (size_t c = 0; c < kColumns; ++c) {
      const Vector scale = Vector::load(task.scale + column + c * Vector::kLanes);
      const Vector of_weights = to_floats(Ints::load(task.weight_sums + column + c * Vector::kLanes)) * scale;
      GTEKIT_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        y[r][c] = fma(Vector::broadcast(lowest[r * task.x.groups]), of_weights, y[r][c]);
        y[r][c] = fma(to_floats(sums[r][c]) * scale, Vector::broadcast(step[r * task.x.groups]), y[r][c]);
      }
    }
  }
  GTEKIT_UNROLL
  for (size_t c = 0; c < kColumns; ++c) {
    const size_t column = panel * kPanel + c * Vector::kLanes;
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      Vector result = y[r][c];
      if (task.activation == Activation::gelu) result = byte_gelu(result);
      if (task.residual) result = result + Vector::load(task.residual + (row + r) * task.residual_stride + column);
      result.store(task.out + (row + r) * task.out_stride + column);
    }
  }
}

using ByteTile = void (*)(const ByteLinearTask&, size_t row, size_t panel);

template <size_t kPanels, typename Rows = std::make_index_sequence<kByteTileRows>>
struct ByteTiles;
template <size_t kPanels, size_t... kRows>
struct ByteTiles<kPanels, std::index_sequence<kRows...>> {
  static constexpr ByteTile kFor[] = {byte_tile<kRows + 1, kPanels>...};
};

template <size_t kPanels>
void byte_panels(const ByteLinearTask& task, size_t panel) {
  // equal blocks: 9 rows go as 5 and 4, not as 8 and a 1 that would wait for its weights
  const size_t blocks = (task.rows + kByteTileRows - 1) / kByteTileRows;
  size_t row = 0;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t rows = (task.rows - row) / (blocks - block);
    ByteTiles<kPanels>::kFor[rows - 1](task, row, panel);
    row += rows;
  }
}

void byte_linear(const ByteLinearTask& task) {
  const size_t panels = task.outputs / kPanel;
  size_t panel = 0;
  for (; panel + kByteTilePanels <= panels; panel += kByteTilePanels) byte_panels<kByteTilePanels>(task, panel);
  for (; panel < panels; ++panel) byte_panels<1>(task, panel);
}

double byte_ceiling(size_t rounds) {
  constexpr size_t kChains = 12;
  alignas(64) static const uint8_t bytes[kBytesOfSum] = {1, 2, 3, 4};
  alignas(64) static const int8_t weights[Vector::kLanes * kBytesOfSum] = {1, -1, 2, -2};
  FourBytes x = four_bytes(bytes);
  const FourWeights w = four_weights(weights);
  Ints sums[kChains];
  GTEKIT_UNROLL
  for (Ints& sum : sums) sum = Ints::zero();
  for (size_t i = 0; i < rounds; ++i) {
    GTEKIT_UNROLL
    for (Ints& sum : sums) {
      hide(x);  // every product anew
      dot(sum, x, w);
    }
  }
  Ints total = Ints::zero();
  GTEKIT_UNROLL
  for (const Ints& sum : sums) total = total + sum;
  keep(total.sum());
  return 2.0 * kBytesOfSum * Vector::kLanes * kChains * static_cast<double>(rounds);
}
