// The kernels of 8 bits, written once over vectors of 32-bit sums; included after algorithms.h in the same way.
//
// A kernel file offers, besides Vector:
// - Ints, kLanes sums of 32 bits: zero(), load(p), load(p, n, fill), store(p), broadcast(int), +, *, &, |, max,
//   sum(), largest(), shifted_by_a_byte, first_lanes(Ints, n) with zeros after the first n; to_floats(Ints);
// - to_ints(Vector), to the nearest and even; store_bytes(Ints, p) and store_bytes(Ints, p, n), which saturate to 0 and
//   255; store_low_bytes(Ints, p), which keeps the lowest byte of each;
// - split(Vector): the whole part, rounded down, in the form that times_two_to takes, and the fraction;
// - FourBytes, four activations for every lane: four_bytes(p); FourWeights, four weights a lane: four_weights(p);
//   dot(Ints&, FourBytes, FourWeights), which adds the four products of each lane to its sum, exactly;
// - kTakenOff, what four_bytes takes off each byte, and the sum of the weights as often off their dot product;
// - hide(FourBytes&), after which the compiler does not know what they are.

// Coefficients and errors: fit_polynomials.py. Lowest power first.
constexpr float kByteGeluLimit = 3.2f;
constexpr float kByteGelu[] = {-0.00166927557f, 0.538841546f, -0.543282092f, 0.185273647f, -0.0212596264f};
constexpr float kByteExp[] = {254.980927f, 177.437546f, 57.6471252f, 19.8962517f};

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

// The largest of the numbers; `low` goes down to the lowest of each lane.
template <typename Numbers>
GTEKIT_INLINE float widen_limits(const Numbers& x, size_t begin, size_t end, Vector& low) {
  Vector high = x.load(begin, 1);
  size_t i = begin;
  for (; i + Vector::kLanes <= end; i += Vector::kLanes) {
    const Vector values = x.load(i);
    low = min(low, values);
    high = max(high, values);
  }
  if (i < end) {
    const Vector values = x.load(i, end - i);
    low = min(low, values);
    high = max(high, values);
  }
  return high.largest();
}

template <typename Numbers>
GTEKIT_INLINE void to_bytes_of_group(const Numbers& x, size_t begin, size_t end, float lowest, float range,
                                     uint8_t* bytes) {
  const Vector inverse = Vector::broadcast(range > kLeastRange ? 255.0f / range : 0.0f);
  const Vector shift = Vector::broadcast(lowest);
  size_t i = begin;
  for (; i + Vector::kLanes <= end; i += Vector::kLanes) {
    store_bytes(to_ints((x.load(i) - shift) * inverse), bytes + i);
  }
  if (i < end) store_bytes(to_ints((x.load(i, end - i) - shift) * inverse), bytes + i, end - i);
}

template <typename Numbers>
GTEKIT_INLINE void quantize_row(const Numbers& x, size_t n, const ByteRows& out, size_t row) {
  float* step = out.step + row * out.groups;
  const auto end_of = [&](size_t group) { return (group + 1) * out.group < n ? (group + 1) * out.group : n; };
  Vector low = x.load(0, 1);
  for (size_t group = 0; group < out.groups; ++group) {
    step[group] = widen_limits(x, group * out.group, end_of(group), low);
  }
  const float lowest = -(Vector::zero() - low).largest();
  out.lowest[row] = lowest;
  for (size_t group = 0; group < out.groups; ++group) {
    const float range = step[group] - lowest;
    step[group] = range > kLeastRange ? range * (1.0f / 255.0f) : 0.0f;
    to_bytes_of_group(x, group * out.group, end_of(group), lowest, range, out.bytes + row * out.stride);
  }
}

void quantize(const float* x, size_t stride, size_t rows, size_t n, const float* factors, const ByteRows& out) {
  for (size_t row = 0; row < rows; ++row, x += stride) {
    if (factors) {
      quantize_row(Scaled{x, factors}, n, out, row);
    } else {
      quantize_row(Plain{x}, n, out, row);
    }
    std::memset(out.bytes + row * out.stride + n, 0, out.stride - n);
  }
}

// 127 / largest, or 0 where that would not be finite.
GTEKIT_INLINE float inverse_of(float largest) { return largest > kLeastRange ? 127.0f / largest : 0.0f; }
GTEKIT_INLINE float scale_of(float largest) { return largest > kLeastRange ? largest * (1.0f / 127.0f) : 0.0f; }

// Numbers e, e + 1, ... of a row, and zeros from its end on.
GTEKIT_INLINE Vector load_padded(const float* row, size_t e, size_t size) {
  return e + Vector::kLanes <= size ? Vector::load(row + e)
         : e < size                 ? Vector::load(row + e, size - e, 0.0f)
                                    : Vector::zero();
}

GTEKIT_INLINE float largest_magnitude(const float* rows, size_t stride, size_t count, size_t width) {
  Vector largest = Vector::zero();
  for (size_t r = 0; r < count; ++r) {
    for (size_t e = 0; e < width; e += Vector::kLanes) {
      largest = max(largest, magnitude(load_padded(rows + r * stride, e, width)));
    }
  }
  return largest.largest();
}

float pack_queries(const float* queries, size_t stride, size_t length, size_t head_size, const ByteQueries& out) {
  const float largest = largest_magnitude(queries, stride, length, head_size);
  const Vector inverse = Vector::broadcast(inverse_of(largest));
  const Ints middle = Ints::broadcast(ByteQueries::kMiddle);
  for (size_t r = 0; r < length; ++r) {
    uint8_t* bytes = out.bytes + r * out.stride;
    size_t e = 0;
    for (; e + Vector::kLanes <= out.stride; e += Vector::kLanes) {
      store_bytes(to_ints(load_padded(queries + r * stride, e, head_size) * inverse) + middle, bytes + e);
    }
    if (e < out.stride) {
      store_bytes(to_ints(load_padded(queries + r * stride, e, head_size) * inverse) + middle, bytes + e,
                  out.stride - e);
    }
  }
  return scale_of(largest);
}

float pack_keys(const float* keys, size_t stride, size_t length, size_t head_size, const BytePanels& out) {
  constexpr size_t kMostBytes = 64;  // of a head that goes at once
  const float largest = largest_magnitude(keys, stride, length, head_size);
  const Vector inverse = Vector::broadcast(inverse_of(largest));
  for (size_t key = 0; key < out.outputs; ++key) {
    int8_t* target = out.panels + key / kPanel * kPanel * out.inputs + key % kPanel * kBytesOfSum;
    const size_t size = key < length ? head_size : 0;
    Ints sums = Ints::zero();
    for (size_t first = 0; first < out.inputs; first += kMostBytes) {
      uint8_t bytes[kMostBytes];
      const size_t end = first + kMostBytes < out.inputs ? first + kMostBytes : out.inputs;
      for (size_t e = first; e < end; e += Vector::kLanes) {
        const Ints values = to_ints(load_padded(keys + key * stride, e, size) * inverse);
        sums = sums + values;
        store_low_bytes(values, bytes + e - first);
      }
      for (size_t e = first; e < end; e += kBytesOfSum) {
        std::memcpy(target + e * kPanel, bytes + e - first, kBytesOfSum);
      }
    }
    out.sums[key] = sums.sum();
  }
  return scale_of(largest);
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
    for (size_t n = 0; n < Vector::kLanes; ++n) {
      out.scale[column + n] = scale_of(limits[n]);
      limits[n] = inverse_of(limits[n]);
    }
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

int32_t byte_softmax(const int32_t* x, size_t n, float scale, const float* dither, uint8_t* bytes) {
  const size_t whole = n / Vector::kLanes * Vector::kLanes;
  const size_t rest = n - whole;
  Ints peaks = rest ? Ints::load(x + whole, rest, x[0]) : Ints::load(x);
  for (size_t i = 0; i < whole; i += Vector::kLanes) peaks = max(peaks, Ints::load(x + i));
  const Ints shift = Ints::broadcast(-peaks.largest());
  const Vector factor = Vector::broadcast(scale * 1.44269504f);
  const auto bytes_of = [&](Ints values, Vector thresholds) {
    // 255 * 2^d for d <= 0, never above 254.99, so that it stays a byte; below 2^-20 it is nothing
    const Vector d = max(to_floats(values + shift) * factor, Vector::broadcast(-20.0f));
    const Power power = split(d);
    return to_ints(times_two_to(polynomial(kByteExp, power.fraction), power.whole) + thresholds);
  };
  Ints sums = Ints::zero();
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    const Ints values = bytes_of(Ints::load(x + i), Vector::load(dither + i));
    store_low_bytes(values, bytes + i);
    sums = sums + values;
  }
  if (rest) {
    const Ints values =
        first_lanes(bytes_of(Ints::load(x + whole, rest, x[0]), Vector::load(dither + whole, rest, 0.0f)), rest);
    store_bytes(values, bytes + whole, round_up(rest, kBytesOfSum));
    sums = sums + values;
  }
  return sums.sum();
}

// GELU for values that go into bytes, max(x, 0) - P(|x|): absolute error at most 1.7e-3, a sixth of a usual step.
GTEKIT_INLINE Vector byte_gelu(Vector x) {
  const Vector inner = min(magnitude(x), Vector::broadcast(kByteGeluLimit));
  return max(x, Vector::zero()) - polynomial(kByteGelu, inner);
}

// What the sums of bytes less `middle` begin with, given the sums of their weights.
template <int kMiddle>
GTEKIT_INLINE Ints first_sums(const int32_t* weight_sums) {
  if constexpr (kTakenOff == kMiddle) return Ints::zero();
  return Ints::load(weight_sums) * Ints::broadcast(kTakenOff - kMiddle);
}

// Vectors of sums that a row of a tile has.
template <size_t kPanels>
constexpr size_t kByteColumns = kPanel / Vector::kLanes * kPanels;

// Adds the products of inputs `begin` up to `end` to the sums.
template <size_t kRows, size_t kPanels>
GTEKIT_INLINE void add_products(const uint8_t* x, size_t stride, const int8_t* weights, size_t inputs, size_t begin,
                                size_t end, Ints (&sums)[kRows][kByteColumns<kPanels>]) {
  constexpr size_t kPerPanel = kPanel / Vector::kLanes;
  constexpr size_t kColumns = kByteColumns<kPanels>;
  const uint8_t* bases[(kRows + 2) / 3];  // as in linear_tile
  for (size_t i = 0; i < (kRows + 2) / 3; ++i) bases[i] = x + 3 * i * stride;
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
      const FourBytes four = four_bytes(bases[r / 3] + r % 3 * stride + k);
      GTEKIT_UNROLL
      for (size_t c = 0; c < kColumns; ++c) dot(sums[r][c], four, w[c]);
    }
  }
}

// What the groups gave becomes kLanes outputs of each row.
template <size_t kRows>
GTEKIT_INLINE void finish(const ByteLinearTask& task, size_t row, size_t column, Vector (&y)[kRows]) {
  if (task.bias) {
    const Vector bias = Vector::load(task.bias + column);
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) y[r] = y[r] + bias;
  }
  if (task.x.lowest) {
    const Vector total = Vector::load(task.totals + column);
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) y[r] = fma(Vector::broadcast(task.x.lowest[row + r]), total, y[r]);
  }
  if (task.activation == Activation::gelu) {
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) y[r] = byte_gelu(y[r]);
  }
  if (task.residual) {
    const float* residual = task.residual + row * task.residual_stride + column;
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) y[r] = y[r] + Vector::load(residual + r * task.residual_stride);
  }
  float* out = task.out + row * task.out_stride + column;
  GTEKIT_UNROLL
  for (size_t r = 0; r < kRows; ++r) y[r].store(out + r * task.out_stride);
}

// As linear_tile: every sum of a group in a register of its own. Not inlined: GCC 12 then keeps them there. What the
// groups before gave lies in memory and is touched once a group; it would not fit beside the sums.
template <size_t kRows, size_t kPanels, bool kIsOneGroup>
GTEKIT_NOINLINE void byte_tile(const ByteLinearTask& all, size_t row, size_t panel) {
  constexpr size_t kColumns = kByteColumns<kPanels>;
  const ByteLinearTask task = all;  // a copy that no store can change: its numbers stay in registers
  alignas(64) float before[kRows][kColumns][Vector::kLanes];
  GTEKIT_UNROLL
  for (size_t r = 0; r < kRows && !kIsOneGroup; ++r) {
    GTEKIT_UNROLL
    for (size_t c = 0; c < kColumns; ++c) Vector::zero().store(before[r][c]);
  }
  for (size_t group = 0; group < (kIsOneGroup ? 1 : task.x.groups); ++group) {
    const size_t begin = group * task.x.group;
    const size_t end = begin + task.x.group < task.inputs ? begin + task.x.group : task.inputs;
    const size_t column = group * task.scale_stride + panel * kPanel;
    Ints sums[kRows][kColumns];
    GTEKIT_UNROLL
    for (size_t c = 0; c < kColumns; ++c) {
      const Ints start = first_sums<0>(task.weight_sums + column + c * Vector::kLanes);
      GTEKIT_UNROLL
      for (size_t r = 0; r < kRows; ++r) sums[r][c] = start;
    }
    add_products<kRows, kPanels>(task.x.bytes + row * task.x.stride, task.x.stride,
                                 task.panels + panel * task.inputs * kPanel, task.inputs, begin, end, sums);
    GTEKIT_FORGET_MEMORY();
    const float* step = task.x.step + row * task.x.groups + group;
    GTEKIT_UNROLL
    for (size_t c = 0; c < kColumns; ++c) {
      const Vector scale = Vector::load(task.scale + column + c * Vector::kLanes);
      Vector y[kRows];
      GTEKIT_UNROLL
      for (size_t r = 0; r < kRows; ++r) {
        const Vector of_group = to_floats(sums[r][c]) * scale;
        const Vector of_row = Vector::broadcast(step[r * task.x.groups]);
        if constexpr (kIsOneGroup) {
          y[r] = of_group * of_row;
        } else {
          fma(of_group, of_row, Vector::load(before[r][c])).store(before[r][c]);
        }
      }
      if constexpr (kIsOneGroup) finish(task, row, panel * kPanel + c * Vector::kLanes, y);
    }
  }
  GTEKIT_UNROLL
  for (size_t c = 0; c < kColumns && !kIsOneGroup; ++c) {
    Vector y[kRows];
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) y[r] = Vector::load(before[r][c]);
    finish(task, row, panel * kPanel + c * Vector::kLanes, y);
  }
}

struct ScoresTask {
  ByteQueries queries;
  BytePanels keys;
  int32_t* scores;
  size_t stride;
};

template <size_t kRows, size_t kPanels>
GTEKIT_NOINLINE void scores_tile(const ScoresTask& task, size_t row, size_t panel) {
  constexpr size_t kColumns = kByteColumns<kPanels>;
  const size_t inputs = task.keys.inputs;
  Ints sums[kRows][kColumns];
  GTEKIT_UNROLL
  for (size_t c = 0; c < kColumns; ++c) {
    const Ints start = first_sums<ByteQueries::kMiddle>(task.keys.sums + panel * kPanel + c * Vector::kLanes);
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) sums[r][c] = start;
  }
  add_products<kRows, kPanels>(task.queries.bytes + row * task.queries.stride, task.queries.stride,
                               task.keys.panels + panel * inputs * kPanel, inputs, 0, inputs, sums);
  int32_t* scores = task.scores + row * task.stride + panel * kPanel;
  GTEKIT_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    GTEKIT_UNROLL
    for (size_t c = 0; c < kColumns; ++c) sums[r][c].store(scores + r * task.stride + c * Vector::kLanes);
  }
}

struct OneGroup {
  using Task = ByteLinearTask;
  template <size_t kRows, size_t kPanels>
  static constexpr auto kTile = byte_tile<kRows, kPanels, true>;
};
struct SeveralGroups {
  using Task = ByteLinearTask;
  template <size_t kRows, size_t kPanels>
  static constexpr auto kTile = byte_tile<kRows, kPanels, false>;
};
struct Scores {
  using Task = ScoresTask;
  template <size_t kRows, size_t kPanels>
  static constexpr auto kTile = scores_tile<kRows, kPanels>;
};

template <typename Tiles>
void all_panels(const typename Tiles::Task& task, size_t rows, size_t panels) {
  size_t panel = 0;
  for (; panel + kByteTilePanels <= panels; panel += kByteTilePanels) {
    all_rows<Tiles, kByteTileRows, kByteTilePanels>(task, rows, panel);
  }
  if constexpr (kByteTilePanels > 2) {
    for (; panel + 2 <= panels; panel += 2) all_rows<Tiles, kByteTileRows, 2>(task, rows, panel);
  }
  for (; panel < panels; ++panel) all_rows<Tiles, kByteTileRows, 1>(task, rows, panel);
}

void byte_linear(const ByteLinearTask& task) {
  const size_t panels = task.outputs / kPanel;
  if (task.x.groups == 1) {
    all_panels<OneGroup>(task, task.rows, panels);
  } else {
    all_panels<SeveralGroups>(task, task.rows, panels);
  }
}

void byte_scores(const ByteQueries& queries, size_t rows, const BytePanels& keys, int32_t* scores, size_t stride) {
  all_panels<Scores>({queries, keys, scores, stride}, rows, keys.outputs / kPanel);
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
