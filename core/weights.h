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

// y = x W^T + b. A checkpoint holds W as (outputs, inputs); here it lies in panels, in the number format of the file.
// A short text waits for weights from memory: those of gte-small are 42 MB in float16, 85 MB in float32.
class Linear {
 public:
  // Several matrices over the same inputs stand one below the other: query, key and value are one product.
  struct Part {
    std::string name;  // of the module: its tensors are name.weight and name.bias
    size_t outputs;
  };
  Linear(const TensorReader& reader, const std::vector<Part>& parts, size_t inputs);

  // The task but for x, its rows, and where the result goes.
  LinearTask task() const;
  size_t outputs() const { return outputs_; }  // rounded up to whole panels
  size_t bytes() const { return outputs_ * (inputs_ * item_size(dtype_) + sizeof(float)); }

 private:
  template <typename T, typename CopyRow>
  void pack(const TensorReader& reader, const std::vector<Part>& parts, const CopyRow& copy_row);

  size_t inputs_;
  size_t outputs_;
  Dtype dtype_;  // of the panels: that of all parts, or float32 where they differ
  AlignedBytes panels_;
  AlignedFloats bias_;
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

struct LayerNorm {
  LayerNorm(const TensorReader& reader, const std::string& name, size_t size)
      : gamma(reader.vector(name + ".weight", size)), beta(reader.vector(name + ".bias", size)) {}
  std::vector<float> gamma;
  std::vector<float> beta;
};

}  // namespace gtekit
