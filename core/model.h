// The forward pass of a BERT encoder over one micro-batch of packed texts.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "arena.h"
#include "gtekit.h"
#include "kernels/table.h"
#include "weights.h"

namespace gtekit {

// Called between two layers; ends the forward pass by throwing.
using BetweenLayers = std::function<void()>;

// One text of a micro-batch.
struct Text {
  const int32_t* token_ids;
  size_t length;
};

// Rows of a micro-batch's tokens, text after text.
struct Hidden {
  const float* rows;
  size_t stride;
};

class Model {
 public:
  // Packs the weights of several layers at once, on `threads` threads.
  Model(const ModelConfig& config, const Tensors& tensors, const KernelTable& kernels, size_t threads);

  // Last hidden states, in `arena`: valid until its next reset.
  Hidden forward(const std::vector<Text>& texts, Arena& arena, const BetweenLayers& between_layers) const;

  const ModelConfig& config() const { return config_; }
  const KernelTable& kernels() const { return kernels_; }
  size_t weight_bytes() const;

 private:
  struct Layer {
    Layer(const TensorReader& reader, const ModelConfig& config, size_t index);
    Linear query_key_value;
    Linear attention_output;
    LayerNorm attention_norm;
    Linear up;
    Linear down;
    LayerNorm output_norm;
  };
  struct Scratch;

  void embed(const std::vector<Text>& texts, const Scratch& scratch) const;
  void attend(const std::vector<Text>& texts, const Scratch& scratch) const;
  void attend_head(const float* query_key_value, size_t length, float* context, const Scratch& scratch) const;
  void feed_forward(const Layer& layer, size_t rows, const Scratch& scratch) const;
  void norm(const LayerNorm& norm, float* x, size_t stride, size_t rows) const;

  ModelConfig config_;
  const KernelTable& kernels_;
  size_t head_size_;
  Embedding words_;
  std::vector<float> positions_;  // position plus token type 0, (max_position_embeddings, D)
  LayerNorm embedding_norm_;
  std::vector<std::unique_ptr<const Layer>> layers_;
};

}  // namespace gtekit
