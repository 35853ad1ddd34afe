// The forward pass of a BERT encoder over one micro-batch of packed texts.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "arena.h"
#include "gtekit.h"
#include "kernels/table.h"
#include "team.h"
#include "timing.h"
#include "weights.h"

namespace gtekit {

// Called several times in each layer, with its number; ends the forward pass by throwing. A forward pass may be parked
// in it while the same thread runs another one in another arena.
using BetweenSteps = std::function<void(size_t layer)>;

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
  Model(const ModelConfig& config, const Tensors& tensors, const KernelTable& kernels, Precision precision,
        size_t threads);

  // Last hidden states, in `arena`: valid until its next reset. The team shares out each layer.
  Hidden forward(const std::vector<Text>& texts, Arena& arena, Team& team, const BetweenSteps& between_steps) const;

  const ModelConfig& config() const { return config_; }
  const KernelTable& kernels() const { return kernels_; }
  Precision precision() const { return precision_; }
  Timing& timing() const { return timing_; }
  size_t weight_bytes() const;

 private:
  struct Layer {
    // before: the layer norm that gives this layer's inputs.
    Layer(const TensorReader& reader, const ModelConfig& config, Precision precision, size_t index,
          const LayerNorm& before);
    Linear query_key_value;  // head after head, so that a head's share is a product of its own
    Linear attention_output;
    LayerNorm attention_norm;  // gives the inputs of `up`, so it stands before it
    Linear up;
    Linear down;
    LayerNorm output_norm;
  };
  struct Scratch;
  struct Member;

  void embed(const std::vector<Text>& texts, const Scratch& scratch) const;
  void attend(const Layer& layer, const std::vector<Text>& texts, const Scratch& scratch, Team& team) const;
  // Thresholds for rounding the weights of attention, for each row and each of so many tokens.
  static std::vector<float> thresholds(size_t positions);
  void attend_head(size_t length, const float* projected, float* context, const Scratch& scratch,
                   const Member& member) const;
  void attend_head_in_bytes(size_t length, const float* projected, float* context, const Scratch& scratch,
                            const Member& member) const;
  void feed_forward(const Layer& layer, const Scratch& scratch, Team& team, const std::function<void()>& pause) const;

  // What a linear layer reads: rows of floats, and in int8 the same as bytes.
  struct Input {
    float* rows;
    size_t stride;
    ByteRows bytes;
    Input from(size_t row) const {
      Input rest = *this;
      rest.rows += row * stride;
      if (!bytes.bytes) return rest;
      rest.bytes.bytes += row * bytes.stride;
      rest.bytes.step += row * bytes.groups;
      rest.bytes.lowest += row;
      return rest;
    }
  };
  // next: the linear layer that reads the result, or null.
  void norm(const LayerNorm& norm, const Linear* next, const Scratch& scratch, Team& team) const;
  void quantize(const Linear& linear, const Input& x, size_t count, Team& team) const;
  void quantize_rows(const Linear& linear, const Input& x, size_t count) const;
  void multiply(const Linear& linear, const Input& x, size_t rows, const LinearOutput& output, Part part,
                Team& team) const;
  void multiply_panels(const Linear& linear, size_t first, size_t count, const Input& x, size_t rows,
                       const LinearOutput& output) const;

  ModelConfig config_;
  const KernelTable& kernels_;
  Precision precision_;
  size_t head_size_;
  size_t head_width_;  // columns of query, key and value of a head, in whole panels
  Embedding words_;
  std::vector<float> positions_;  // position plus token type 0, (max_position_embeddings, D)
  LayerNorm embedding_norm_;
  std::vector<std::unique_ptr<const Layer>> layers_;
  std::vector<float> dither_;  // thresholds in [-0.5, 0.5], in int8
  mutable Timing timing_;
};

}  // namespace gtekit
