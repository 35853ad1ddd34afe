#include "weights.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "narrow_floats.h"

namespace gtekit {
namespace {

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

}  // namespace

size_t item_size(Dtype dtype) { return dtype == Dtype::float32 ? sizeof(float) : sizeof(uint16_t); }

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

Linear::Linear(const TensorReader& reader, const std::vector<Part>& parts, size_t inputs)
    : inputs_(inputs), dtype_(reader.matrix(parts[0].name + ".weight", parts[0].outputs, inputs).dtype) {
  size_t rows = 0;
  for (const Part& part : parts) {
    rows += part.outputs;
    const Tensor& weight = reader.matrix(part.name + ".weight", part.outputs, inputs);
    if (weight.dtype != dtype_) dtype_ = Dtype::float32;
  }
  outputs_ = round_up(rows, kPanel);
  panels_ = allocate_aligned(outputs_ * inputs * item_size(dtype_));
  bias_ = allocate_floats(outputs_);
  std::fill_n(bias_.get(), outputs_, 0.0f);
  size_t row = 0;
  for (const Part& part : parts) {
    const std::vector<float> bias = reader.vector(part.name + ".bias", part.outputs);
    std::copy(bias.begin(), bias.end(), bias_.get() + row);
    row += part.outputs;
  }
  if (dtype_ == Dtype::float32) {
    pack<float>(reader, parts,
                [&](const Tensor& weight, size_t n, float* out) { widen(weight, n * inputs_, inputs_, out); });
  } else {
    pack<uint16_t>(reader, parts, [&](const Tensor& weight, size_t n, uint16_t* out) {
      std::memcpy(out, static_cast<const uint16_t*>(weight.data) + n * inputs_, inputs_ * sizeof(uint16_t));
    });
  }
}

template <typename T, typename CopyRow>
void Linear::pack(const TensorReader& reader, const std::vector<Part>& parts, const CopyRow& copy_row) {
  T* panels = reinterpret_cast<T*>(panels_.get());
  std::vector<T> block(kPanel * inputs_);  // rows of one panel, which may span two parts
  size_t row = 0;
  for (const Part& part : parts) {
    const Tensor& weight = reader.matrix(part.name + ".weight", part.outputs, inputs_);
    for (size_t n = 0; n < part.outputs; ++n, ++row) {
      copy_row(weight, n, block.data() + row % kPanel * inputs_);
      const bool is_last = &part == &parts.back() && n == part.outputs - 1;
      if (row % kPanel != kPanel - 1 && !is_last) continue;
      pack_rows(block.data(), inputs_, row % kPanel + 1, inputs_, panels + row / kPanel * kPanel * inputs_);
    }
  }
}

LinearTask Linear::task() const {
  LinearTask task;
  task.panels = panels_.get();
  task.dtype = dtype_;
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
