// BERT's encoder in the order of the paper (arXiv:1810.04805), without padding: every linear layer runs over the tokens
// of all texts, attention (attention.cpp) runs text by text.
#include "model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <future>
#include <stdexcept>

#include "scratch.h"

namespace gtekit {
namespace {

// Rows that are quantized right after they were normalized: few, so that the first level of the cache still has them.
constexpr size_t kNormRows = 8;

// Parts are cut to multiples of so many panels: whole tiles of 2 and of 3.
constexpr size_t kPartPanels = 6;

// Calls body(first, count) for the rows, in as many parts as there are members.
template <typename Body>
void share_rows(size_t rows, Team& team, const Body& body) {
  const size_t size = (rows + team.members() - 1) / team.members();
  team.for_each((rows + size - 1) / size,
                [&](size_t part, size_t) { body(part * size, std::min(size, rows - part * size)); });
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
  if (config.num_attention_heads > Team::kMostParts) {
    throw std::invalid_argument("num_attention_heads is " + std::to_string(config.num_attention_heads) +
                                "; it has to be at most " + std::to_string(Team::kMostParts) + ".");
  }
  return config.hidden_size / config.num_attention_heads;
}

std::string layer_name(size_t index, const char* module) {
  return "encoder.layer." + std::to_string(index) + "." + module;
}

// Query, key and value of head 0, then those of head 1, ...: each head's columns begin at a whole panel.
std::vector<LinearPart> head_parts(const ModelConfig& config, size_t index, size_t head_size, size_t head_width) {
  std::vector<LinearPart> parts;
  for (size_t head = 0; head < config.num_attention_heads; ++head) {
    size_t column = head * head_width;
    for (const char* module : {"attention.self.query", "attention.self.key", "attention.self.value"}) {
      parts.push_back({layer_name(index, module), config.hidden_size, head * head_size, head_size, column});
      column += head_size;
    }
  }
  return parts;
}

LinearPart whole(size_t index, const char* module, size_t outputs) {
  return {layer_name(index, module), outputs, 0, outputs, 0};
}

size_t head_width_of(const ModelConfig& config) {
  return round_up(3 * (config.hidden_size / config.num_attention_heads), kPanel);
}

}  // namespace

Model::Layer::Layer(const TensorReader& reader, const ModelConfig& config, Precision precision, size_t index,
                    const LayerNorm& before)
    : query_key_value(reader,
                      head_parts(config, index, config.hidden_size / config.num_attention_heads, head_width_of(config)),
                      config.hidden_size, config.num_attention_heads * head_width_of(config), precision, &before),
      attention_output(reader, {whole(index, "attention.output.dense", config.hidden_size)}, config.hidden_size,
                       config.hidden_size, precision),
      attention_norm(reader, layer_name(index, "attention.output.LayerNorm"), config.hidden_size),
      up(reader, {whole(index, "intermediate.dense", config.intermediate_size)}, config.hidden_size,
         config.intermediate_size, precision, &attention_norm),
      down(reader, {whole(index, "output.dense", config.hidden_size)}, config.intermediate_size, config.hidden_size,
           precision),
      output_norm(reader, layer_name(index, "output.LayerNorm"), config.hidden_size) {}

Model::Model(const ModelConfig& config, const Tensors& tensors, const KernelTable& kernels, Precision precision,
             size_t threads)
    : config_(config),
      kernels_(kernels),
      precision_(precision),
      head_size_(checked_head_size(config)),
      head_width_(head_width_of(config)),
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

  if (precision == Precision::int8) {
    if (config.max_position_embeddings > kMostByteInputs) {
      throw std::invalid_argument("max_position_embeddings is " + std::to_string(config.max_position_embeddings) +
                                  "; int8 takes at most " + std::to_string(kMostByteInputs) + ". Use float32.");
    }
    if (head_size_ > kMostByteInputs) {
      throw std::invalid_argument("A head has " + std::to_string(head_size_) + " numbers; int8 takes at most " +
                                  std::to_string(kMostByteInputs) + ". Use float32.");
    }
    dither_ = thresholds(config.max_position_embeddings);
  }
  layers_.resize(config.num_hidden_layers);
  std::vector<std::future<void>> parts;
  const size_t loaders = std::min(threads, layers_.size());
  for (size_t first = 0; first < loaders; ++first) {
    parts.push_back(std::async(std::launch::async | std::launch::deferred, [&, first] {
      for (size_t index = first; index < layers_.size(); index += loaders) {
        const LayerNorm before(reader, index == 0 ? "embeddings.LayerNorm" : layer_name(index - 1, "output.LayerNorm"),
                               config.hidden_size);
        layers_[index] = std::make_unique<const Layer>(reader, config, precision, index, before);
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

Hidden Model::forward(const std::vector<Text>& texts, Arena& arena, Team& team,
                      const BetweenSteps& between_steps) const {
  const Scratch scratch(*this, texts, team.members(), arena);
  embed(texts, scratch);
  const auto reader_of = [&](size_t index) {
    return index < layers_.size() ? &layers_[index]->query_key_value : nullptr;
  };
  norm(embedding_norm_, reader_of(0), scratch, team);
  for (size_t index = 0; index < layers_.size(); ++index) {
    const Layer& layer = *layers_[index];
    const auto pause = [&] { between_steps(index); };
    pause();
    attend(layer, texts, scratch, team);
    norm(layer.attention_norm, &layer.up, scratch, team);
    feed_forward(layer, scratch, team, pause);
    norm(layer.output_norm, reader_of(index + 1), scratch, team);
  }
  return {scratch.hidden, scratch.stride};
}

void Model::embed(const std::vector<Text>& texts, const Scratch& scratch) const {
  const Timer timer(timing_, Part::embed);
  float* row = scratch.hidden;
  for (const Text& text : texts) {
    for (size_t position = 0; position < text.length; ++position, row += scratch.stride) {
      words_.row(static_cast<size_t>(text.token_ids[position]), row);
      const float* shift = positions_.data() + position * config_.hidden_size;
      for (size_t i = 0; i < config_.hidden_size; ++i) row[i] += shift[i];
    }
  }
}

void Model::feed_forward(const Layer& layer, const Scratch& scratch, Team& team,
                         const std::function<void()>& pause) const {
  LinearOutput up;
  up.out = scratch.feed_forward;
  up.out_stride = scratch.feed_forward_stride;
  up.activation = Activation::gelu;
  LinearOutput down;
  down.residual_stride = down.out_stride = scratch.stride;
  const Input wide = {scratch.feed_forward, scratch.feed_forward_stride, scratch.feed_forward_bytes};
  for (size_t first = 0; first < scratch.rows; first += kFeedForwardRows) {
    pause();
    const size_t rows = std::min(kFeedForwardRows, scratch.rows - first);
    const Input narrow = scratch.hidden_rows(first);
    down.residual = down.out = scratch.hidden + first * scratch.stride;
    multiply(layer.up, narrow, rows, up, Part::up, team);
    quantize(layer.down, wide, rows, team);
    multiply(layer.down, wide, rows, down, Part::down, team);
  }
}

void Model::norm(const LayerNorm& norm, const Linear* next, const Scratch& scratch, Team& team) const {
  share_rows(scratch.rows, team, [&](size_t first, size_t count) {
    for (size_t row = first; row < first + count; row += kNormRows) {
      const Input rows = scratch.hidden_rows(row);
      const size_t size = std::min(kNormRows, first + count - row);
      {
        const Timer timer(timing_, Part::norm);
        kernels_.layer_norm(rows.rows, rows.stride, size, config_.hidden_size, norm.gamma.data(), norm.beta.data(),
                            config_.layer_norm_eps);
      }
      if (next) quantize_rows(*next, rows, size);
    }
  });
}

void Model::quantize(const Linear& linear, const Input& x, size_t count, Team& team) const {
  if (precision_ == Precision::float32) return;
  share_rows(count, team, [&](size_t first, size_t part) { quantize_rows(linear, x.from(first), part); });
}

void Model::quantize_rows(const Linear& linear, const Input& x, size_t count) const {
  if (precision_ == Precision::float32) return;
  const Timer timer(timing_, Part::quantize);
  kernels_.quantize(x.rows, x.stride, count, linear.inputs(), linear.factors(), x.bytes);
}

void Model::multiply(const Linear& linear, const Input& x, size_t rows, const LinearOutput& output, Part part,
                     Team& team) const {
  const size_t parts = 4 * team.members();
  const size_t size =
      team.members() == 1 ? linear.panels() : round_up((linear.panels() + parts - 1) / parts, kPartPanels);
  team.for_each((linear.panels() + size - 1) / size, [&](size_t index, size_t) {
    const Timer timer(timing_, part);
    const size_t first = index * size;
    LinearOutput shifted = output;
    shifted.out += first * kPanel;
    if (output.residual) shifted.residual += first * kPanel;
    multiply_panels(linear, first, std::min(size, linear.panels() - first), x, rows, shifted);
  });
}

void Model::multiply_panels(const Linear& linear, size_t first, size_t count, const Input& x, size_t rows,
                            const LinearOutput& output) const {
  if (precision_ == Precision::int8) {
    ByteLinearTask task = linear.byte_task(first, count);
    const float* bias = task.bias;
    static_cast<LinearOutput&>(task) = output;
    task.bias = bias;
    task.x = x.bytes;
    task.rows = rows;
    kernels_.byte_linear(task);
    return;
  }
  LinearTask task = linear.task(first, count);
  const float* bias = task.bias;
  static_cast<LinearOutput&>(task) = output;
  task.bias = bias;
  task.x = x.rows;
  task.x_stride = x.stride;
  task.rows = rows;
  kernels_.linear(task);
}

}  // namespace gtekit
