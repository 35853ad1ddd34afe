// What a kernel set has to provide. scalar.cpp is the specification of each function.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gtekit.h"

namespace gtekit {

// Weights lie in panels of 16 outputs: floats as panels[outputs / 16][inputs][16], bytes as
// panels[outputs / 16][inputs / 4][16][4]. One layout for every kernel set; 16 floats, or 16 times 4 bytes, are one
// AVX-512 register, two of AVX2, four of NEON.
inline constexpr size_t kPanel = 16;

// Bytes are multiplied four at a time: that many products go into one 32-bit sum.
inline constexpr size_t kBytesOfSum = 4;

constexpr size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

enum class Activation { none, gelu };

// What becomes of a product: out[r][n] = activation(product[r][n] + bias[n]) + residual[r][n]
struct LinearOutput {
  const float* bias = nullptr;      // (outputs,), or null
  const float* residual = nullptr;  // (rows, outputs), or null
  size_t residual_stride = 0;       // in floats, like every stride of floats
  float* out = nullptr;             // (rows, outputs)
  size_t out_stride = 0;
  Activation activation = Activation::none;
};

// product[r][n] = sum over k of x[r][k] * w[n][k]
struct LinearTask : LinearOutput {
  const float* x = nullptr;  // (rows, inputs)
  size_t x_stride = 0;
  size_t rows = 0;
  const void* panels = nullptr;
  Dtype dtype = Dtype::float32;  // of the panels: 16 bits halve what a short text waits for, and widen exactly
  size_t inputs = 0;
  size_t outputs = 0;  // a multiple of kPanel: all columns are computed and written
};

// Rows of numbers as bytes: in group g, x[r][k] is about lowest[r] + step[r][g] * bytes[r][k]. Every `group` numbers of
// a row have a step of their own, so that one high number makes only its neighbours coarse. A low one reaches the whole
// row, because all groups begin at its lowest number.
struct ByteRows {
  uint8_t* bytes = nullptr;  // (rows, stride)
  size_t stride = 0;         // a multiple of kBytesOfSum
  float* step = nullptr;     // (rows, groups)
  float* lowest = nullptr;   // (rows,), no higher than any number of the row; or null for 0
  size_t group = 0;          // a multiple of kBytesOfSum; the last group of a row may be shorter
  size_t groups = 0;
};

// A group of a smaller range has no step, and weights of a smaller magnitude no scale: 255 over it has to be finite.
inline constexpr float kLeastRange = 1e-30f;

// The most bytes of one sum: 255 * 127 times as many still fit in 32 bits.
inline constexpr size_t kMostByteInputs = 65'536;

// product[r][n] = lowest[r] * totals[n] + sum over g of step[r][g] * scale[g][n] * s, where s is the sum over the k of
// group g of bytes[r][k] * w[n][k]: exact, for groups of up to kMostByteInputs.
struct ByteLinearTask : LinearOutput {
  ByteRows x;
  size_t rows = 0;
  const int8_t* panels = nullptr;
  const float* scale = nullptr;          // (groups, scale_stride)
  const int32_t* weight_sums = nullptr;  // (groups, scale_stride): sum of w[n][k] over the group
  const float* totals = nullptr;         // (outputs,): sum over g of scale[g][n] * weight_sums[g][n]; where x.lowest is
  size_t scale_stride = 0;
  size_t inputs = 0;   // a multiple of kBytesOfSum
  size_t outputs = 0;  // a multiple of kPanel
};

// Keys or values of one head of one text as panels of signed bytes.
struct BytePanels {
  int8_t* panels = nullptr;
  float* scale = nullptr;   // (outputs,), of values
  int32_t* sums = nullptr;  // (outputs,): sum of the bytes
  size_t inputs = 0;        // of a product with them, a multiple of kBytesOfSum
  size_t outputs = 0;       // a multiple of kPanel

  // The numbers alone: the arrays have to have room.
  void resize(size_t new_inputs, size_t new_outputs) {
    inputs = round_up(new_inputs, kBytesOfSum);
    outputs = round_up(new_outputs, kPanel);
  }
  size_t bytes() const { return inputs * outputs; }
};

// Queries of one head of one text: bytes[r][k] - kMiddle is the number in units of a scale that all of them share.
struct ByteQueries {
  static constexpr int kMiddle = 128;
  uint8_t* bytes = nullptr;  // (rows, stride)
  size_t stride = 0;         // a multiple of kBytesOfSum
};

struct KernelTable {
  const char* name;

  // The sum over k runs in ascending order in one accumulator for each output, so a row gives the same bits
  // whatever the other rows are and wherever it stands among them.
  void (*linear)(const LinearTask& task);
  void (*byte_linear)(const ByteLinearTask& task);

  // Rows of n floats, times `factors` (n,) or null for 1, into bytes, nearest and even; zeros from n up to out.stride.
  // out.lowest may not be null. Bytes of numbers that are not finite are any bytes, here and in the packing.
  void (*quantize)(const float* x, size_t stride, size_t rows, size_t n, const float* factors, const ByteRows& out);

  // x[i] = exp((x[i] - max x) * scale) / sum of the same, over one row of n >= 1.
  void (*softmax)(float* x, size_t n, float scale);

  // Queries and keys of one head of one text, (length, head_size) with a stride, as bytes; each returns the scale,
  // which is the largest magnitude over 127, or 0 up to 1e-30. Queries are filled up with kMiddle to out.stride; the
  // outputs of the keys' panels are the keys, then zeros up to out.outputs.
  float (*pack_queries)(const float* queries, size_t stride, size_t length, size_t head_size, const ByteQueries& out);
  float (*pack_keys)(const float* keys, size_t stride, size_t length, size_t head_size, const BytePanels& out);

  // Values of one head, (length, head_size) with a stride: inputs are tokens, outputs the numbers of the head, each
  // with a scale of its own.
  void (*pack_values)(const float* values, size_t stride, size_t length, size_t head_size, const BytePanels& out);

  // scores[r][n] = sum over k of (bytes[r][k] - kMiddle) * w[n][k], exact; queries.stride is keys.inputs or more.
  void (*byte_scores)(const ByteQueries& queries, size_t rows, const BytePanels& keys, int32_t* scores, size_t stride);

  // bytes[i] = 255 * exp((x[i] - max x) * scale) + dither[i], to the nearest; zeros from n up to the next multiple of
  // kBytesOfSum. Returns the sum of the bytes. dither[i] is in [-0.5, 0.5]: plain rounding would lose the many small
  // weights of a long text; with thresholds that differ from token to token and row to row their sum is kept.
  int32_t (*byte_softmax)(const int32_t* x, size_t n, float scale, const float* dither, uint8_t* bytes);

  // x[r] = (x[r] - mean) / sqrt(variance + eps) * gamma + beta, for each row of n.
  void (*layer_norm)(float* x, size_t stride, size_t rows, size_t n, const float* gamma, const float* beta, float eps);

  // Exact GELU, x / 2 * (1 + erf(x / sqrt 2)), in place. The same function that `linear` applies.
  void (*gelu)(float* x, size_t n);

  // Multiplies and adds in registers alone, `rounds` times, and returns how many operations that were: the ceiling
  // that `linear` and `byte_linear` are held against.
  double (*float_ceiling)(size_t rounds);
  double (*byte_ceiling)(size_t rounds);

  // kPanel rows of n numbers as one panel for `linear`: panel[k][r] = rows[r][k]. Fetches what lies `ahead` bytes
  // behind each row into the second level of the cache. Infinity and NaN of 16 bits stay what they are.
  void (*pack_rows)(const void* const* rows, Dtype dtype, size_t n, size_t ahead, float* panel);

  // The products of kPanel rows of n numbers with one query, summed as `linear` sums them: out[r] has the bits that it
  // has where the rows are packed first.
  void (*multiply_rows)(const void* const* rows, Dtype dtype, size_t n, size_t ahead, const float* query, float* out);

  // Places of the numbers that are `least` or more, ascending, and how many: NaN never is. Room for n places.
  size_t (*at_least)(const float* x, size_t n, float least, uint32_t* places);
};

extern const KernelTable kScalar;
extern const KernelTable kAvx2;
extern const KernelTable kAvxVnni;
extern const KernelTable kAvx512;
extern const KernelTable kAvx512Vnni;
extern const KernelTable kNeon;
extern const KernelTable kNeonDotprod;

}  // namespace gtekit
