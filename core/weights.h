// A checkpoint's tensors in the layouts that the kernels read.
#pragma once

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

// Rows of (rows, inputs) into panels[rows / 16][inputs][16], the last panel filled up with zeros.
void pack_rows(const float* rows, size_t stride, size_t num_rows, size_t inputs, float* panels);

// y = x W^T + b. W is kept in panels; a checkpoint holds it as (outputs, inputs).
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
  size_t bytes() const { return (outputs_ * inputs_ + outputs_) * sizeof(float); }

 private:
  size_t inputs_;
  size_t outputs_;
  AlignedFloats panels_;
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
