#include "weights.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

namespace gtekit {
namespace {

size_t item_size(Dtype dtype) { return dtype == Dtype::float32 ? 4 : 2; }

size_t count_of(const Tensor& tensor) {
  size_t count = 1;
  for (size_t size : tensor.shape) count *= size;
  return count;
}

std::string text_of(const std::vector<size_t>& shape) {
  std::string text = "(";
  for (size_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + ")";
}

// IEEE half to single without branches, so that the compiler can vectorize it: the bits move to the place of a
// single and a multiplication by 2^112 corrects the exponent, of subnormals too. Infinity and NaN do not occur:
// a checkpoint with either is refused before it gets here.
float from_half(uint16_t half) {
  const float magnitude = std::bit_cast<float>(static_cast<uint32_t>(half & 0x7fff) << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | static_cast<uint32_t>(half & 0x8000) << 16);
}

float from_bfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace

const Tensor& TensorReader::find(const std::string& name, const std::vector<size_t>& shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw std::invalid_argument("tensor '" + name + "' is missing.");
  if (found->second.shape != shape) {
    throw std::invalid_argument("tensor '" + name + "' has shape " + text_of(found->second.shape) + ", expected " +
                                text_of(shape) + ".");
  }
  return found->second;
}

const Tensor& TensorReader::matrix(const std::string& name, size_t rows, size_t columns) const {
  return find(name, {rows, columns});
}

std::vector<float> TensorReader::vector(const std::string& name, size_t size) const {
  std::vector<float> values(size);
  widen(find(name, {size}), 0, size, values.data());
  return values;
}

void widen(const Tensor& tensor, size_t begin, size_t count, float* out) {
  if (tensor.dtype == Dtype::float32) {
    std::memcpy(out, static_cast<const float*>(tensor.data) + begin, count * sizeof(float));
    return;
  }
  const uint16_t* values = static_cast<const uint16_t*>(tensor.data) + begin;
  if (tensor.dtype == Dtype::float16) {
    for (size_t i = 0; i < count; ++i) out[i] = from_half(values[i]);
  } else {
    for (size_t i = 0; i < count; ++i) out[i] = from_bfloat16(values[i]);
  }
}

void pack_rows(const float* rows, size_t stride, size_t num_rows, size_t inputs, float* panels) {
  for (size_t first = 0; first < num_rows; first += kPanel, panels += inputs * kPanel) {
    const size_t count = std::min(kPanel, num_rows - first);
    const float* source = rows + first * stride;
    for (size_t k = 0; k < inputs; ++k) {
      float* target = panels + k * kPanel;
      for (size_t n = 0; n < count; ++n) target[n] = source[n * stride + k];
      for (size_t n = count; n < kPanel; ++n) target[n] = 0.0f;
    }
  }
}

Linear::Linear(const TensorReader& reader, const std::vector<Part>& parts, size_t inputs) : inputs_(inputs) {
  size_t rows = 0;
  for (const Part& part : parts) rows += part.outputs;
  outputs_ = round_up(rows, kPanel);
  panels_ = allocate_floats(outputs_ * inputs);
  bias_ = allocate_floats(outputs_);
  std::fill_n(bias_.get(), outputs_, 0.0f);

  AlignedFloats block = allocate_floats(kPanel * inputs);  // rows of one panel, which may span two parts
  size_t row = 0;
  for (const Part& part : parts) {
    const Tensor& weight = reader.matrix(part.name + ".weight", part.outputs, inputs);
    const std::vector<float> bias = reader.vector(part.name + ".bias", part.outputs);
    std::copy(bias.begin(), bias.end(), bias_.get() + row);
    for (size_t n = 0; n < part.outputs; ++n, ++row) {
      widen(weight, n * inputs, inputs, block.get() + row % kPanel * inputs);
      const bool is_full = row % kPanel == kPanel - 1 || row == rows - 1;
      if (is_full)
        pack_rows(block.get(), inputs, row % kPanel + 1, inputs, panels_.get() + row / kPanel * kPanel * inputs);
    }
  }
}

LinearTask Linear::task() const {
  LinearTask task;
  task.panels = panels_.get();
  task.inputs = inputs_;
  task.outputs = outputs_;
  task.bias = bias_.get();
  return task;
}

Embedding::Embedding(const TensorReader& reader, const std::string& name, size_t rows, size_t columns)
    : tensor_(reader.matrix(name, rows, columns)) {
  const auto* bytes = static_cast<const unsigned char*>(tensor_.data);
  data_.assign(bytes, bytes + count_of(tensor_) * item_size(tensor_.dtype));
  tensor_.data = data_.data();
}

void Embedding::row(size_t id, float* out) const {
  const size_t columns = tensor_.shape[1];
  widen(tensor_, id * columns, columns, out);
}

}  // namespace gtekit
