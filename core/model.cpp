// BERT's encoder in the order of the paper (arXiv:1810.04805; attention: arXiv:1706.03762), without padding:
// every linear layer runs over the tokens of all texts, attention runs text by text.
#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <future>
#include <stdexcept>

namespace gtekit {
namespace {

// Rows of a feed-forward block: 128 x 1536 floats are 768 KiB, so both halves of it stay in a core's L2.
constexpr size_t kFeedForwardRows = 128;
// Rows of an attention block: their scores over 512 keys are 96 KiB.
constexpr size_t kQueryRows = 48;

// Values of one head, (length, head_size) with a stride, into panels[head_size / 16][length][16].
void pack_values(const float* values, size_t stride, size_t length, size_t head_size, float* panels) {
  for (size_t first = 0; first < head_size; first += kPanel) {
    const size_t count = std::min(kPanel, head_size - first);
    for (size_t k = 0; k < length; ++k, panels += kPanel) {
      std::memcpy(panels, values + k * stride + first, count * sizeof(float));
      std::fill(panels + count, panels + kPanel, 0.0f);
    }
  }
}

size_t checked_head_size(const ModelConfig& config) {
  const size_t sizes[] = {config.hidden_size, config.num_attention_heads,     config.intermediate_size,
                          config.vocab_size,  config.max_position_embeddings, config.type_vocab_size};
  if (std::count(std::begin(sizes), std::end(sizes), size_t{0})) {
    throw std::invalid_argument("a size of the model is 0: all but num_hidden_layers have to be 1 or more.");
  }
  if (config.hidden_size % config.num_attention_heads != 0) {
    throw std::invalid_argument("hidden_size " + std::to_string(config.hidden_size) +
                                " is not a multiple of num_attention_heads " +
                                std::to_string(config.num_attention_heads) + ".");
  }
  return config.hidden_size / config.num_attention_heads;
}

}  // namespace

// The arrays of one micro-batch. Strides are rounded up to whole panels, because kernels write whole panels.
struct Model::Scratch {
  Scratch(const Model& model, const std::vector<Text>& texts, Arena& arena) {
    const ModelConfig& config = model.config_;
    for (const Text& text : texts) {
      rows += text.length;
      longest = std::max(longest, text.length);
    }
    stride = round_up(config.hidden_size, kPanel);
    wide_stride = round_up(3 * config.hidden_size, kPanel);
    feed_forward_stride = round_up(config.intermediate_size, kPanel);
    score_stride = round_up(longest, kPanel);
    const size_t head_stride = round_up(model.head_size_, kPanel);
    struct Part {
      float** start;
      size_t floats;
    };
    const Part parts[] = {
        {&hidden, rows * stride},
        {&wide, rows * wide_stride},
        {&context, rows * stride},
        {&feed_forward, std::min(rows, kFeedForwardRows) * feed_forward_stride},
        {&keys, score_stride * model.head_size_},
        {&values, longest * head_stride},
        {&scores, std::min(longest, kQueryRows) * score_stride},
        {&head_context, std::min(longest, kQueryRows) * head_stride},
        {&widened, kWidenedPanels * kPanel * std::max(config.hidden_size, config.intermediate_size)},
    };
    size_t total = 0;
    for (const Part& part : parts) total += Arena::rounded(part.floats);
    arena.reset(total);
    for (const Part& part : parts) *part.start = arena.take(part.floats);
  }

  size_t rows = 0;     // S
  size_t longest = 0;  // tokens of the longest text
  size_t stride, wide_stride, feed_forward_stride, score_stride;
  float* hidden;        // (S, D)
  float* wide;          // (S, 3 D): query, key, value
  float* context;       // (S, D): what attention gives, then what follows it
  float* feed_forward;  // (kFeedForwardRows, F)
  float* keys;          // one head: panels[longest / 16][E][16]
  float* values;        // one head: panels[E / 16][longest][16]
  float* scores;        // (kQueryRows, longest)
  float* head_context;  // (kQueryRows, E)
  float* widened;       // weights of one register tile in float32
};

Model::Layer::Layer(const TensorReader& reader, const ModelConfig& config, size_t index)
    : query_key_value(reader,
                      {{"encoder.layer." + std::to_string(index) + ".attention.self.query", config.hidden_size},
                       {"encoder.layer." + std::to_string(index) + ".attention.self.key", config.hidden_size},
                       {"encoder.layer." + std::to_string(index) + ".attention.self.value", config.hidden_size}},
                      config.hidden_size),
      attention_output(reader,
                       {{"encoder.layer." + std::to_string(index) + ".attention.output.dense", config.hidden_size}},
                       config.hidden_size),
      attention_norm(reader, "encoder.layer." + std::to_string(index) + ".attention.output.LayerNorm",
                     config.hidden_size),
      up(reader, {{"encoder.layer." + std::to_string(index) + ".intermediate.dense", config.intermediate_size}},
         config.hidden_size),
      down(reader, {{"encoder.layer." + std::to_string(index) + ".output.dense", config.hidden_size}},
           config.intermediate_size),
      output_norm(reader, "encoder.layer." + std::to_string(index) + ".output.LayerNorm", config.hidden_size) {}

Model::Model(const ModelConfig& config, const Tensors& tensors, const KernelTable& kernels, size_t threads)
    : config_(config),
      kernels_(kernels),
      head_size_(checked_head_size(config)),
      words_(TensorReader(tensors), "embeddings.word_embeddings.weight", config.vocab_size, config.hidden_size),
      embedding_norm_(TensorReader(tensors), "embeddings.LayerNorm", config.hidden_size) {
  const TensorReader reader(tensors);
  const size_t size = config.hidden_size;
  const Tensor& positions =
      reader.matrix("embeddings.position_embeddings.weight", config.max_position_embeddings, size);
  positions_.resize(config.max_position_embeddings * size);
  widen(positions, 0, positions_.size(), positions_.data());
  // every text is of type 0: its row is added to the positions once
  std::vector<float> type(size);
  widen(reader.matrix("embeddings.token_type_embeddings.weight", config.type_vocab_size, size), 0, size, type.data());
  for (size_t i = 0; i < positions_.size(); ++i) positions_[i] += type[i % size];

  layers_.resize(config.num_hidden_layers);
  std::vector<std::future<void>> parts;
  const size_t loaders = std::min(threads, layers_.size());
  for (size_t first = 0; first < loaders; ++first) {
    parts.push_back(std::async(std::launch::async | std::launch::deferred, [&, first] {
      for (size_t index = first; index < layers_.size(); index += loaders) {
        layers_[index] = std::make_unique<const Layer>(reader, config, index);
      }
    }));
  }
  for (std::future<void>& part : parts) part.get();
}

size_t Model::weight_bytes() const {
  size_t bytes = words_.bytes() + positions_.size() * sizeof(float);
  for (const auto& layer : layers_) {
    bytes += layer->query_key_value.bytes() + layer->attention_output.bytes() + layer->up.bytes() + layer->down.bytes();
  }
  return bytes;
}

Hidden Model::forward(const std::vector<Text>& texts, Arena& arena, const BetweenLayers& between_layers) const {
  const Scratch scratch(*this, texts, arena);
  embed(texts, scratch);
  for (const auto& owned : layers_) {
    const Layer& layer = *owned;
    between_layers();

    LinearTask project = layer.query_key_value.task();
    project.widened = scratch.widened;
    project.x = scratch.hidden;
    project.x_stride = scratch.stride;
    project.rows = scratch.rows;
    project.out = scratch.wide;
    project.out_stride = scratch.wide_stride;
    kernels_.linear(project);

    attend(texts, scratch);

    LinearTask mix = layer.attention_output.task();
    mix.widened = scratch.widened;
    mix.x = scratch.context;
    mix.x_stride = scratch.stride;
    mix.rows = scratch.rows;
    mix.residual = scratch.hidden;
    mix.residual_stride = scratch.stride;
    mix.out = scratch.hidden;
    mix.out_stride = scratch.stride;
    kernels_.linear(mix);
    norm(layer.attention_norm, scratch.hidden, scratch.stride, scratch.rows);

    feed_forward(layer, scratch.rows, scratch);
    norm(layer.output_norm, scratch.hidden, scratch.stride, scratch.rows);
  }
  return {scratch.hidden, scratch.stride};
}

void Model::embed(const std::vector<Text>& texts, const Scratch& scratch) const {
  float* row = scratch.hidden;
  for (const Text& text : texts) {
    for (size_t position = 0; position < text.length; ++position, row += scratch.stride) {
      words_.row(static_cast<size_t>(text.token_ids[position]), row);
      const float* shift = positions_.data() + position * config_.hidden_size;
      for (size_t i = 0; i < config_.hidden_size; ++i) row[i] += shift[i];
    }
  }
  norm(embedding_norm_, scratch.hidden, scratch.stride, scratch.rows);
}

void Model::attend(const std::vector<Text>& texts, const Scratch& scratch) const {
  size_t row = 0;
  for (const Text& text : texts) {
    for (size_t head = 0; head < config_.num_attention_heads; ++head) {
      attend_head(scratch.wide + row * scratch.wide_stride + head * head_size_, text.length,
                  scratch.context + row * scratch.stride + head * head_size_, scratch);
    }
    row += text.length;
  }
}

// softmax(Q K^T / sqrt(E)) V for one text and one head, with the same product as the linear layers.
void Model::attend_head(const float* query, size_t length, float* context, const Scratch& scratch) const {
  const size_t stride = scratch.wide_stride;
  pack_rows(query + config_.hidden_size, stride, length, head_size_, scratch.keys);
  pack_values(query + 2 * config_.hidden_size, stride, length, head_size_, scratch.values);
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size_));
  const bool is_whole = head_size_ % kPanel == 0;  // otherwise whole panels would run into the next head

  LinearTask match;
  match.x_stride = stride;
  match.panels = scratch.keys;
  match.inputs = head_size_;
  match.outputs = round_up(length, kPanel);
  match.out = scratch.scores;
  match.out_stride = scratch.score_stride;

  LinearTask mix;
  mix.x = scratch.scores;
  mix.x_stride = scratch.score_stride;
  mix.panels = scratch.values;
  mix.inputs = length;
  mix.outputs = round_up(head_size_, kPanel);
  mix.out = scratch.head_context;
  mix.out_stride = mix.outputs;
  if (is_whole) mix.out_stride = scratch.stride;

  for (size_t first = 0; first < length; first += kQueryRows) {
    const size_t rows = std::min(kQueryRows, length - first);
    float* target = context + first * scratch.stride;
    match.x = query + first * stride;
    match.rows = mix.rows = rows;
    kernels_.linear(match);
    for (size_t r = 0; r < rows; ++r) kernels_.softmax(scratch.scores + r * scratch.score_stride, length, scale);
    if (is_whole) mix.out = target;
    kernels_.linear(mix);
    if (is_whole) continue;
    for (size_t r = 0; r < rows; ++r) {
      std::memcpy(target + r * scratch.stride, mix.out + r * mix.out_stride, head_size_ * sizeof(float));
    }
  }
}

void Model::feed_forward(const Layer& layer, size_t rows, const Scratch& scratch) const {
  LinearTask up = layer.up.task();
  up.widened = scratch.widened;
  up.x_stride = scratch.stride;
  up.out = scratch.feed_forward;
  up.out_stride = scratch.feed_forward_stride;
  up.activation = Activation::gelu;

  LinearTask down = layer.down.task();
  down.widened = scratch.widened;
  down.x = scratch.feed_forward;
  down.x_stride = scratch.feed_forward_stride;
  down.residual_stride = down.out_stride = scratch.stride;

  for (size_t first = 0; first < rows; first += kFeedForwardRows) {
    float* hidden = scratch.hidden + first * scratch.stride;
    up.rows = down.rows = std::min(kFeedForwardRows, rows - first);
    up.x = hidden;
    down.residual = down.out = hidden;
    kernels_.linear(up);
    kernels_.linear(down);
  }
}

void Model::norm(const LayerNorm& norm, float* x, size_t stride, size_t rows) const {
  kernels_.layer_norm(x, stride, rows, config_.hidden_size, norm.gamma.data(), norm.beta.data(),
                      config_.layer_norm_eps);
}

}  // namespace gtekit
