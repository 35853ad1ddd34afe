// A checkpoint's tensors in the layouts that the kernels read.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "arena.h"
#include "gtekit.h"
#include "kernels/table.h"

namespace gtekit {

// Finds tensors by name and refuses those of another shape.
class TensorReader {
 public:
  explicit TensorReader(const Tensors& tensors) : tensors_(tensors) {}
  const Tensor& matrix(const std::string& name, size_t rows, size_t columns) const;
  std::vector<float> vector(const std::string& name, size_t size) const;

 private:
  const Tensor& find(const std::string& name, const std::vector<size_t>& shape) const;
  const Tensors& tensors_;
};

// Elements [begin, begin + count) of a tensor as float32. Exact: float32 holds every float16 and bfloat16.
void widen(const Tensor& tensor, size_t begin, size_t count, float* out);

size_t item_size(Dtype dtype);  // bytes

// The most inputs that share a scale in int8. After a layer norm some inputs of trained models are far larger than the
// others, hence the smaller groups. Measured on all-MiniLM-L6-v2 and 1,000 texts, cosine to float32, mean and min:
// 0.99944 and 0.9977; with 128 everywhere 0.99948 and 0.9978; with 384 after norms 0.9992 and 0.9960. The end of a
// group costs a sum two multiplications and a conversion, beside 32 steps for 128 inputs.
inline constexpr size_t kMostInGroup = 256, kMostInGroupAfterNorm = 128;

// Groups of one size, but for the last, which may be shorter.
struct Groups {
  Groups(size_t inputs, size_t most)
      : count((inputs + most - 1) / most), size(round_up((inputs + count - 1) / count, kPanel)) {}
  size_t count, size;
};

// Rows of (rows, inputs) into panels[rows / 16][inputs][16], the last panel filled up with zeros.
template <typename T>
void pack_rows(const T* rows, size_t stride, size_t num_rows, size_t inputs, T* panels) {
  for (size_t first = 0; first < num_rows; first += kPanel, panels += inputs * kPanel) {
    const size_t count = std::min(kPanel, num_rows - first);
    const T* source = rows + first * stride;
    for (size_t k = 0; k < inputs; ++k) {
      T* target = panels + k * kPanel;
      for (size_t n = 0; n < count; ++n) target[n] = source[n * stride + k];
      for (size_t n = count; n < kPanel; ++n) target[n] = T{};
    }
  }
}

struct LayerNorm {
  LayerNorm(const TensorReader& reader, const std::string& name, size_t size)
      : gamma(reader.vector(name + ".weight", size)), beta(reader.vector(name + ".bias", size)) {}
  std::vector<float> gamma;
  std::vector<float> beta;
};

// Rows of a checkpoint's matrix, (outputs, inputs), that become outputs of a Linear.
struct LinearPart {
  std::string name;  // of the module: its tensors are name.weight and name.bias
  size_t outputs;    // rows of the whole matrix
  size_t first;      // the rows taken: first up to first + count
  size_t count;
  size_t column;  // the output that the first of them becomes
};

// y = x W^T + b, packed into panels. In float32 the weights keep the number format of the file: a short text waits for
// weights from memory, and those of gte-small are 42 MB in float16, 85 MB in float32. In int8 they are quantized here:
// signed bytes, with a scale for each output and each group of inputs; 21 MB.
class Linear {
 public:
  // outputs: all columns, those that no part fills give 0. Rounded up to whole panels.
  // norm: of the layer norm that gives the inputs, or null; in int8 it decides the factors of the inputs.
  Linear(const TensorReader& reader, const std::vector<LinearPart>& parts, size_t inputs, size_t outputs,
         Precision precision, const LayerNorm* norm = nullptr);

  // The task but for x, its rows, and where the result goes: panels `first` up to `first + count`.
  LinearTask task(size_t first, size_t count) const;
  ByteLinearTask byte_task(size_t first, size_t count) const;
  size_t inputs() const { return inputs_; }
  const Groups& groups() const { return groups_; }
  // What each input is to be multiplied with before it becomes a byte, (inputs,), or null.
  const float* factors() const { return factors_.get(); }
  size_t panels() const { return outputs_ / kPanel; }
  size_t bytes() const;

 private:
  struct Row {
    const Tensor* tensor = nullptr;  // null: a row of zeros
    size_t index = 0;
  };
  template <typename T>
  void pack(const std::vector<Row>& rows);
  void widen_row(const Row& row, float* out) const;
  void choose_factors(const std::vector<Row>& rows, const LayerNorm& norm);
  void quantize(const std::vector<Row>& rows);

  size_t inputs_;
  size_t outputs_;
  Groups groups_;  // of the inputs, in int8
  Dtype dtype_;    // of float panels: that of all parts, or float32 where they differ
  AlignedBytes panels_;
  AlignedFloats bias_;
  AlignedFloats factors_;     // (inputs,), in int8 after a layer norm
  AlignedFloats scale_;       // (groups, outputs), in int8
  AlignedBytes weight_sums_;  // the same of int32_t
  AlignedFloats totals_;      // (outputs,)
};

// A table of rows looked up by id, kept in the checkpoint's own number format.
class Embedding {
 public:
  Embedding(const TensorReader& reader, const std::string& name, size_t rows, size_t columns);
  void row(size_t id, float* out) const;
  size_t bytes() const { return data_.size(); }

 private:
  std::vector<unsigned char> data_;
  Tensor tensor_;
};

}  // namespace gtekit
