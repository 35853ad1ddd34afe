// The specification of every kernel: plain loops, the C library's exp and erf, no cleverness.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/table.h"
#include "narrow_floats.h"

namespace gtekit {
namespace {

float gelu(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.70710678f)); }

// Panel `panel` in float32: where it lies, or widened.
const float* panel_floats(const LinearTask& task, size_t panel, std::vector<float>& widened) {
  const size_t size = task.inputs * kPanel;
  if (task.dtype == Dtype::float32) return static_cast<const float*>(task.panels) + panel * size;
  const uint16_t* bits = static_cast<const uint16_t*>(task.panels) + panel * size;
  widened.resize(size);
  for (size_t i = 0; i < size; ++i) {
    widened[i] = task.dtype == Dtype::float16 ? from_half(bits[i]) : from_bfloat16(bits[i]);
  }
  return widened.data();
}

void linear(const LinearTask& task) {
  std::vector<float> widened;
  for (size_t panel = 0; panel < task.outputs / kPanel; ++panel) {
    const float* weights = panel_floats(task, panel, widened);
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

void byte_linear(const ByteLinearTask& task) {
  for (size_t panel = 0; panel < task.outputs / kPanel; ++panel) {
    const int8_t* weights = task.panels + panel * task.inputs * kPanel;
    for (size_t row = 0; row < task.rows; ++row) {
      const uint8_t* x = task.x.bytes + row * task.x.stride;
      float y[kPanel];
      for (size_t n = 0; n < kPanel; ++n) {
        const size_t column = panel * kPanel + n;
        y[n] = task.bias ? task.bias[column] : 0.0f;
        if (task.x.lowest) y[n] += task.x.lowest[row] * task.totals[column];
      }
      for (size_t group = 0; group < task.x.groups; ++group) {
        const size_t begin = group * task.x.group;
        const size_t end = std::min(begin + task.x.group, task.inputs);
        int32_t sums[kPanel] = {};
        for (size_t k = begin; k < end; ++k) {
          const int8_t* of_four = weights + k / kBytesOfSum * kBytesOfSum * kPanel + k % kBytesOfSum;
          for (size_t n = 0; n < kPanel; ++n) sums[n] += x[k] * of_four[n * kBytesOfSum];
        }
        const float step = task.x.step[row * task.x.groups + group];
        const size_t column = group * task.scale_stride + panel * kPanel;
        for (size_t n = 0; n < kPanel; ++n) y[n] += step * (static_cast<float>(sums[n]) * task.scale[column + n]);
      }
      for (size_t n = 0; n < kPanel; ++n) {
        if (task.activation == Activation::gelu) y[n] = gelu(y[n]);
        if (task.residual) y[n] += task.residual[row * task.residual_stride + panel * kPanel + n];
        task.out[row * task.out_stride + panel * kPanel + n] = y[n];
      }
    }
  }
}

void quantize(const float* x, size_t stride, size_t rows, size_t n, const float* factors, const ByteRows& out) {
  for (size_t row = 0; row < rows; ++row, x += stride) {
    const auto at = [&](size_t i) { return factors ? x[i] * factors[i] : x[i]; };
    uint8_t* bytes = out.bytes + row * out.stride;
    float lowest = at(0);
    for (size_t i = 0; i < n; ++i) lowest = std::min(lowest, at(i));
    out.lowest[row] = lowest;
    for (size_t group = 0; group < out.groups; ++group) {
      const size_t begin = group * out.group;
      const size_t end = std::min(begin + out.group, n);
      float highest = at(begin);
      for (size_t i = begin; i < end; ++i) highest = std::max(highest, at(i));
      const float range = highest - lowest;
      const bool is_flat = !(range > kLeastRange);
      const float inverse = is_flat ? 0.0f : 255.0f / range;
      out.step[row * out.groups + group] = is_flat ? 0.0f : range * (1.0f / 255.0f);
      for (size_t i = begin; i < end; ++i) {
        const float byte = std::nearbyint((at(i) - lowest) * inverse);
        bytes[i] = byte >= 0.0f ? static_cast<uint8_t>(std::min(byte, 255.0f)) : 0;  // NaN, of an infinite range, is 0
      }
    }
    std::memset(bytes + n, 0, out.stride - n);
  }
}

// Where weight (n, k) lies in panels of bytes.
int8_t& at(const BytePanels& out, size_t n, size_t k) {
  return out.panels[n / kPanel * kPanel * out.inputs + k / kBytesOfSum * kBytesOfSum * kPanel +
                    n % kPanel * kBytesOfSum + k % kBytesOfSum];
}

// 127 / largest, or 0 where that would not be finite.
float inverse_of(float largest) { return largest > kLeastRange ? 127.0f / largest : 0.0f; }

float scale_of(float largest) { return largest > kLeastRange ? largest * (1.0f / 127.0f) : 0.0f; }

// A number from -127 to 127; NaN, of an infinite one, is 0.
int signed_byte(float x) { return std::isnan(x) ? 0 : static_cast<int>(std::nearbyint(x)); }

float largest_magnitude(const float* rows, size_t stride, size_t count, size_t width) {
  float largest = 0.0f;
  for (size_t r = 0; r < count; ++r) {
    for (size_t e = 0; e < width; ++e) largest = std::max(largest, std::abs(rows[r * stride + e]));
  }
  return largest;
}

float pack_queries(const float* queries, size_t stride, size_t length, size_t head_size, const ByteQueries& out) {
  const float largest = largest_magnitude(queries, stride, length, head_size);
  for (size_t r = 0; r < length; ++r) {
    for (size_t e = 0; e < out.stride; ++e) {
      const int byte = e < head_size ? signed_byte(queries[r * stride + e] * inverse_of(largest)) : 0;
      out.bytes[r * out.stride + e] = static_cast<uint8_t>(byte + ByteQueries::kMiddle);
    }
  }
  return scale_of(largest);
}

// Output n gets `count` numbers, in units of 1 / inverse, as signed bytes, and zeros after them.
template <typename Number>
void quantize_output(size_t n, size_t count, float inverse, const Number& number, const BytePanels& out) {
  out.sums[n] = 0;
  for (size_t k = 0; k < out.inputs; ++k) {
    const int byte = k < count ? signed_byte(number(k) * inverse) : 0;
    at(out, n, k) = static_cast<int8_t>(byte);
    out.sums[n] += byte;
  }
}

float pack_keys(const float* keys, size_t stride, size_t length, size_t head_size, const BytePanels& out) {
  const float largest = largest_magnitude(keys, stride, length, head_size);
  for (size_t n = 0; n < out.outputs; ++n) {
    const auto key = [&](size_t e) { return keys[n * stride + e]; };
    quantize_output(n, n < length ? head_size : 0, inverse_of(largest), key, out);
  }
  return scale_of(largest);
}

void pack_values(const float* values, size_t stride, size_t length, size_t head_size, const BytePanels& out) {
  for (size_t n = 0; n < out.outputs; ++n) {
    const size_t count = n < head_size ? length : 0;
    const float largest = largest_magnitude(values + n, stride, count, 1);
    const auto value = [&](size_t token) { return values[token * stride + n]; };
    quantize_output(n, count, inverse_of(largest), value, out);
    out.scale[n] = scale_of(largest);
  }
}

void byte_scores(const ByteQueries& queries, size_t rows, const BytePanels& keys, int32_t* scores, size_t stride) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t n = 0; n < keys.outputs; ++n) {
      int32_t sum = 0;
      for (size_t k = 0; k < keys.inputs; ++k) {
        sum += (queries.bytes[r * queries.stride + k] - ByteQueries::kMiddle) * at(keys, n, k);
      }
      scores[r * stride + n] = sum;
    }
  }
}

int32_t byte_softmax(const int32_t* x, size_t n, float scale, const float* dither, uint8_t* bytes) {
  const int32_t max = *std::max_element(x, x + n);
  int32_t sum = 0;
  for (size_t i = 0; i < n; ++i) {
    const float raised = 255.0f * std::exp(static_cast<float>(x[i] - max) * scale) + dither[i];
    bytes[i] = static_cast<uint8_t>(std::clamp(std::nearbyint(raised), 0.0f, 255.0f));
    sum += bytes[i];
  }
  std::memset(bytes + n, 0, round_up(n, kBytesOfSum) - n);
  return sum;
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

float number_of(const void* row, Dtype dtype, size_t k) {
  if (dtype == Dtype::float32) return static_cast<const float*>(row)[k];
  const uint16_t bits = static_cast<const uint16_t*>(row)[k];
  return dtype == Dtype::float16 ? from_any_half(bits) : from_bfloat16(bits);
}

void pack_rows(const void* const* rows, Dtype dtype, size_t n, size_t, float* panel) {
  for (size_t r = 0; r < kPanel; ++r) {
    for (size_t k = 0; k < n; ++k) panel[k * kPanel + r] = number_of(rows[r], dtype, k);
  }
}

void multiply_rows(const void* const* rows, Dtype dtype, size_t n, size_t, const float* query, float* out) {
  for (size_t r = 0; r < kPanel; ++r) {
    out[r] = 0.0f;
    for (size_t k = 0; k < n; ++k) out[r] += query[k] * number_of(rows[r], dtype, k);
  }
}

size_t at_least(const float* x, size_t n, float least, uint32_t* places) {
  size_t found = 0;
  for (size_t i = 0; i < n; ++i) {
    if (x[i] >= least) places[found++] = static_cast<uint32_t>(i);
  }
  return found;
}

// A product and a sum at a time, in chains as the vector kernels have them.
template <typename T>
double ceiling(size_t rounds) {
  constexpr size_t kChains = 12;
  volatile T factor = 1;
  T sums[kChains] = {};
  for (size_t i = 0; i < rounds; ++i) {
    const T x = factor;
    for (T& sum : sums) sum = sum * x + 1;
  }
  volatile T kept = 0;
  for (const T sum : sums) kept = kept + sum;
  return 2.0 * kChains * static_cast<double>(rounds);
}

}  // namespace

const KernelTable kScalar = {"scalar",      linear,     byte_linear,    quantize,          softmax,
                             pack_queries,  pack_keys,  pack_values,    byte_scores,       byte_softmax,
                             layer_norm,    gelu_array, ceiling<float>, ceiling<uint32_t>, pack_rows,
                             multiply_rows, at_least};

}  // namespace gtekit
