// What a kernel set has to provide: four functions. scalar.cpp is the specification of each.
#pragma once

#include <cstddef>

#include "gtekit.h"

namespace gtekit {

// Weights lie in panels of 16 outputs: panels[outputs / 16][inputs][16]. One layout for every kernel set;
// 16 floats are one AVX-512 register, two of AVX2, four of NEON.
inline constexpr size_t kPanel = 16;

// The most panels that a kernel widens at a time.
inline constexpr size_t kWidenedPanels = 2;

constexpr size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

enum class Activation { none, gelu };

// out[r][n] = activation(sum over k of x[r][k] * w[n][k] + bias[n]) + residual[r][n]
struct LinearTask {
  const float* x = nullptr;  // (rows, inputs)
  size_t x_stride = 0;       // in floats, like every stride
  size_t rows = 0;
  const void* panels = nullptr;
  Dtype dtype = Dtype::float32;  // of the panels: 16 bits halve what a short text waits for, and widen exactly
  float* widened = nullptr;      // room for kWidenedPanels of 16 x inputs, where the panels are not float32
  size_t inputs = 0;
  size_t outputs = 0;               // a multiple of kPanel: all columns are computed and written
  const float* bias = nullptr;      // (outputs,), or null
  const float* residual = nullptr;  // (rows, outputs), or null
  size_t residual_stride = 0;
  float* out = nullptr;  // (rows, outputs)
  size_t out_stride = 0;
  Activation activation = Activation::none;
};

struct KernelTable {
  const char* name;

  // The sum over k runs in ascending order in one accumulator for each output, so a row gives the same bits
  // whatever the other rows are and wherever it stands among them.
  void (*linear)(const LinearTask& task);

  // x[i] = exp((x[i] - max x) * scale) / sum of the same, over one row of n >= 1.
  void (*softmax)(float* x, size_t n, float scale);

  // x[r] = (x[r] - mean) / sqrt(variance + eps) * gamma + beta, for each row of n.
  void (*layer_norm)(float* x, size_t stride, size_t rows, size_t n, const float* gamma, const float* beta, float eps);

  // Exact GELU, x / 2 * (1 + erf(x / sqrt 2)), in place. The same function that `linear` applies.
  void (*gelu)(float* x, size_t n);
};

extern const KernelTable kScalar;
extern const KernelTable kAvx2;
extern const KernelTable kAvx512;
extern const KernelTable kNeon;

}  // namespace gtekit
