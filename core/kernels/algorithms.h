// The kernels written once over a vector type. Each instruction set defines `Vector` and the size of its register
// tile, switches its instructions on, and includes this file inside an anonymous namespace: so every set gets its
// own copy, and no fast copy can leak into a slow CPU's path.
//
// Vector offers: kLanes, zero(), broadcast(float), load(p), load(p, n, fill), store(p), store(p, n), +, -, *,
// fma(a, b, c) = a * b + c, max, min, magnitude, round, times_two_to(x, n), sum(), largest(); load_half(p) and
// load_bfloat16(p) widen kLanes numbers of 16 bits.

// Coefficients and errors: fit_polynomials.py. Lowest power first.
constexpr float kErfLimit = 3.85f;
constexpr float kErf[] = {0.367284834f,   -0.183301702f,   0.136211157f,   -0.110376231f,  0.0908261314f,
                          -0.0732989386f, 0.056358505f,    -0.0404695459f, 0.0284820646f,  -0.0200762227f,
                          0.0108261388f,  -0.00351483142f, 0.00284648687f, -0.0032816662f, 0.00122409209f};
constexpr float kExp[] = {1.0f, 1.0f, 0.499999911f, 0.166664213f, 0.0416683592f, 0.0083747711f, 0.00138294208f};

template <size_t N>
GTEKIT_INLINE Vector polynomial(const float (&coefficients)[N], Vector x) {
  Vector result = Vector::broadcast(coefficients[N - 1]);
  for (size_t i = N - 1; i-- > 0;) result = fma(result, x, Vector::broadcast(coefficients[i]));
  return result;
}

// exp(x) for x <= 0, relative error at most 3e-7. Below -87 it gives exp(-87) = 1.6e-38, which no sum notices.
GTEKIT_INLINE Vector exp_of_negative(Vector x) {
  x = max(x, Vector::broadcast(-87.0f));
  const Vector n = round(x * Vector::broadcast(1.44269504f));
  // ln 2 in two parts: the first has 15 bits, so n times it is exact for |n| <= 126
  Vector r = fma(n, Vector::broadcast(-0.693145752f), x);
  r = fma(n, Vector::broadcast(-1.42860677e-6f), r);
  return times_two_to(polynomial(kExp, r), n);
}

// Exact GELU with erf as z P(2 z^2 / limit^2 - 1): absolute error at most 2e-7 * max(1, |x|).
GTEKIT_INLINE Vector gelu(Vector x) {
  Vector z = x * Vector::broadcast(0.70710678f);
  z = min(max(z, Vector::broadcast(-kErfLimit)), Vector::broadcast(kErfLimit));
  const Vector u = fma(z * z, Vector::broadcast(2.0f / (kErfLimit * kErfLimit)), Vector::broadcast(-1.0f));
  const Vector half = x * Vector::broadcast(0.5f);
  return fma(half, z * polynomial(kErf, u), half);
}

void gelu_array(float* x, size_t n) {
  size_t i = 0;
  for (; i + Vector::kLanes <= n; i += Vector::kLanes) gelu(Vector::load(x + i)).store(x + i);
  if (i < n) gelu(Vector::load(x + i, n - i, 0.0f)).store(x + i, n - i);
}

void softmax(float* x, size_t n, float scale) {
  constexpr float kNothing = -3.0e38f;
  const size_t whole = n / Vector::kLanes * Vector::kLanes;
  Vector peaks = Vector::broadcast(kNothing);
  for (size_t i = 0; i < whole; i += Vector::kLanes) peaks = max(peaks, Vector::load(x + i));
  if (whole < n) peaks = max(peaks, Vector::load(x + whole, n - whole, kNothing));
  const Vector peak = Vector::broadcast(peaks.largest());

  const Vector factor = Vector::broadcast(scale);
  Vector sums = Vector::zero();
  for (size_t i = 0; i < whole; i += Vector::kLanes) {
    const Vector e = exp_of_negative((Vector::load(x + i) - peak) * factor);
    e.store(x + i);
    sums = sums + e;
  }
  if (whole < n) {
    exp_of_negative((Vector::load(x + whole, n - whole, kNothing) - peak) * factor).store(x + whole, n - whole);
    sums = sums + Vector::load(x + whole, n - whole, 0.0f);
  }
  const Vector inverse = Vector::broadcast(1.0f / sums.sum());
  for (size_t i = 0; i < whole; i += Vector::kLanes) (Vector::load(x + i) * inverse).store(x + i);
  if (whole < n) (Vector::load(x + whole, n - whole, 0.0f) * inverse).store(x + whole, n - whole);
}

void layer_norm(float* x, size_t stride, size_t rows, size_t n, const float* gamma, const float* beta, float eps) {
  const size_t whole = n / Vector::kLanes * Vector::kLanes;
  const size_t rest = n - whole;
  for (size_t row = 0; row < rows; ++row, x += stride) {
    Vector sums = rest ? Vector::load(x + whole, rest, 0.0f) : Vector::zero();
    for (size_t i = 0; i < whole; i += Vector::kLanes) sums = sums + Vector::load(x + i);
    const float average = sums.sum() / static_cast<float>(n);
    const Vector mean = Vector::broadcast(average);

    Vector squares = Vector::zero();
    if (rest) {
      const Vector d = Vector::load(x + whole, rest, average) - mean;
      squares = d * d;
    }
    for (size_t i = 0; i < whole; i += Vector::kLanes) {
      const Vector d = Vector::load(x + i) - mean;
      squares = fma(d, d, squares);
    }
    const Vector scale = Vector::broadcast(1.0f / std::sqrt(squares.sum() / static_cast<float>(n) + eps));
    for (size_t i = 0; i < whole; i += Vector::kLanes) {
      fma((Vector::load(x + i) - mean) * scale, Vector::load(gamma + i), Vector::load(beta + i)).store(x + i);
    }
    if (rest) {
      const Vector g = Vector::load(gamma + whole, rest, 0.0f);
      const Vector b = Vector::load(beta + whole, rest, 0.0f);
      fma((Vector::load(x + whole, rest, 0.0f) - mean) * scale, g, b).store(x + whole, rest);
    }
  }
}

// Counts as a use, so that what was computed is not left out.
template <typename T>
void keep(T value) {
  volatile T kept = value;
  static_cast<void>(kept);
}

// Weights widen on their way into a register: that is exact, and the fewer bytes lie in the caches.
struct Half {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};
GTEKIT_INLINE Vector load_weights(const float* p) { return Vector::load(p); }
GTEKIT_INLINE Vector load_weights(const Half* p) { return Vector::load_half(&p->bits); }
GTEKIT_INLINE Vector load_weights(const Bfloat16* p) { return Vector::load_bfloat16(&p->bits); }

// One register tile: kRows rows times kPanels panels, every accumulator in a register of its own.
template <typename Weight, size_t kRows, size_t kPanels>
void linear_tile(const LinearTask& task, size_t row, size_t panel) {
  constexpr size_t kPerPanel = kPanel / Vector::kLanes;
  constexpr size_t kColumns = kPerPanel * kPanels;
  const size_t stride = task.x_stride;
  const size_t inputs = task.inputs;
  const Weight* weights = static_cast<const Weight*>(task.panels) + panel * inputs * kPanel;
  // A base for every three rows: base, base + stride and base + 2 * stride are addressing modes of x86, so 24 rows take
  // nine integer registers.
  const float* bases[(kRows + 2) / 3];
  for (size_t i = 0; i < (kRows + 2) / 3; ++i) bases[i] = task.x + (row + 3 * i) * stride;

  Vector sums[kRows][kColumns];
  GTEKIT_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t c = 0; c < kColumns; ++c) sums[r][c] = Vector::zero();
  }
  for (size_t k = 0; k < inputs; ++k) {
    Vector w[kColumns];
    for (size_t c = 0; c < kColumns; ++c) {
      const Weight* place = weights + (c / kPerPanel * inputs + k) * kPanel + c % kPerPanel * Vector::kLanes;
      w[c] = load_weights(place);
      // the panels after these: a short text waits for weights
      if (c % kPerPanel == 0) GTEKIT_PREFETCH(place + kPanels * inputs * kPanel);
    }
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      const Vector x = Vector::broadcast(bases[r / 3][r % 3 * stride + k]);
      for (size_t c = 0; c < kColumns; ++c) sums[r][c] = fma(x, w[c], sums[r][c]);
    }
  }
  for (size_t c = 0; c < kColumns; ++c) {
    const size_t column = panel * kPanel + c * Vector::kLanes;
    const Vector bias = task.bias ? Vector::load(task.bias + column) : Vector::zero();
    GTEKIT_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      Vector y = sums[r][c] + bias;
      if (task.activation == Activation::gelu) y = gelu(y);
      if (task.residual) y = y + Vector::load(task.residual + (row + r) * task.residual_stride + column);
      y.store(task.out + (row + r) * task.out_stride + column);
    }
  }
}

// Tiles::kTile over all rows of the task.
template <typename Tiles, size_t kPanels, size_t... kRows>
void all_rows_of(const typename Tiles::Task& task, size_t num_rows, size_t panel, std::index_sequence<kRows...>) {
  // A plain array: std::array's functions would be shared with slower CPUs' files.
  static constexpr void (*kFor[])(const typename Tiles::Task&, size_t row,
                                  size_t panel) = {Tiles::template kTile<kRows + 1, kPanels>...};
  // equal blocks: 13 rows go as 7 and 6, not as 12 and a 1 that would wait for its weights
  const size_t blocks = (num_rows + sizeof...(kRows) - 1) / sizeof...(kRows);
  size_t row = 0;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t rows = (num_rows - row) / (blocks - block);
    kFor[rows - 1](task, row, panel);
    row += rows;
  }
}

template <typename Tiles, size_t kMostRows, size_t kPanels>
void all_rows(const typename Tiles::Task& task, size_t num_rows, size_t panel) {
  all_rows_of<Tiles, kPanels>(task, num_rows, panel, std::make_index_sequence<kMostRows>());
}

template <typename Weight>
struct LinearTiles {
  using Task = LinearTask;
  template <size_t kRows, size_t kPanels>
  static constexpr auto kTile = linear_tile<Weight, kRows, kPanels>;
};

// Many rows go in tall tiles of one panel, which the first level of the cache holds: with 384 inputs 97 % of the
// ceiling, where two panels gave 93.
template <typename Weight>
void linear_of(const LinearTask& task) {
  const size_t panels = task.outputs / kPanel;
  size_t panel = 0;
  if (task.rows <= kTileRows) {
    for (; panel + kTilePanels <= panels; panel += kTilePanels) {
      all_rows<LinearTiles<Weight>, kTileRows, kTilePanels>(task, task.rows, panel);
    }
  }
  for (; panel < panels; ++panel) all_rows<LinearTiles<Weight>, kTallTileRows, 1>(task, task.rows, panel);
}

void linear(const LinearTask& task) {
  switch (task.dtype) {
    case Dtype::float32:
      return linear_of<float>(task);
    case Dtype::float16:
      return linear_of<Half>(task);
    case Dtype::bfloat16:
      return linear_of<Bfloat16>(task);
  }
}

double float_ceiling(size_t rounds) {
  constexpr size_t kChains = 12;  // as many as the latency of any CPU can hide: 4 cycles, 2 a cycle
  const Vector x = Vector::broadcast(0.5f), w = Vector::broadcast(1.0f);
  Vector sums[kChains];
  for (Vector& sum : sums) sum = x;
  for (size_t i = 0; i < rounds; ++i) {
    for (Vector& sum : sums) sum = fma(sum, x, w);
  }
  float total = 0.0f;
  for (const Vector& sum : sums) total += sum.sum();
  keep(total);
  return 2.0 * Vector::kLanes * kChains * static_cast<double>(rounds);
}
