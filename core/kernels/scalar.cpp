// The specification of every kernel: plain loops, the C library's exp and erf, no cleverness.
#include <algorithm>
#include <cmath>

#include "kernels/table.h"
#include "narrow_floats.h"

namespace gtekit {
namespace {

float gelu(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678f)); }

// Panel `panel` in float32: where it lies, or widened.
const float* panel_floats(const LinearTask& task, size_t panel) {
  const size_t size = task.inputs * kPanel;
  if (task.dtype == Dtype::float32) return static_cast<const float*>(task.panels) + panel * size;
  const uint16_t* bits = static_cast<const uint16_t*>(task.panels) + panel * size;
  for (size_t i = 0; i < size; ++i) {
    task.widened[i] = task.dtype == Dtype::float16 ? from_half(bits[i]) : from_bfloat16(bits[i]);
  }
  return task.widened;
}

void linear(const LinearTask& task) {
  for (size_t panel = 0; panel < task.outputs / kPanel; ++panel) {
    const float* weights = panel_floats(task, panel);
    for (size_t row = 0; row < task.rows; ++row) {
      const float* x = task.x + row * task.x_stride;
      float sums[kPanel] = {};
      for (size_t k = 0; k < task.inputs; ++k) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 1  // GCC 12 unrolls these 16 steps first and then finds no vectors in them: 6 GFLOP/s, not 15
#endif
        for (size_t n = 0; n < kPanel; ++n) sums[n] += x[k] * weights[k * kPanel + n];
      }
      float* out = task.out + row * task.out_stride + panel * kPanel;
      for (size_t n = 0; n < kPanel; ++n) {
        float y = task.bias ? sums[n] + task.bias[panel * kPanel + n] : sums[n];
        if (task.activation == Activation::gelu) y = gelu(y);
        if (task.residual) y += task.residual[row * task.residual_stride + panel * kPanel + n];
        out[n] = y;
      }
    }
  }
}

void softmax(float* x, size_t n, float scale) {
  const float max = *std::max_element(x, x + n);
  float sum = 0.0f;
  for (size_t i = 0; i < n; ++i) {
    x[i] = std::exp((x[i] - max) * scale);
    sum += x[i];
  }
  for (size_t i = 0; i < n; ++i) x[i] /= sum;
}

void layer_norm(float* x, size_t stride, size_t rows, size_t n, const float* gamma, const float* beta, float eps) {
  for (size_t row = 0; row < rows; ++row, x += stride) {
    float sum = 0.0f;
    for (size_t i = 0; i < n; ++i) sum += x[i];
    const float mean = sum / static_cast<float>(n);
    float squares = 0.0f;
    for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / std::sqrt(squares / static_cast<float>(n) + eps);
    for (size_t i = 0; i < n; ++i) x[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
  }
}

void gelu_array(float* x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = gelu(x[i]);
}

}  // namespace

const KernelTable kScalar = {"scalar", linear, softmax, layer_norm, gelu_array};

}  // namespace gtekit
