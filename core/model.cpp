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

// Rows of a feed-forward block: 96 x 1536 floats are 576 KiB, so both halves of it stay in a core's L2.
constexpr size_t kFeedForwardRows = 96;
// Rows of an attention block: their scores over 512 keys are 96 KiB.
constexpr size_t kQueryRows = 48;
// Thresholds for rounding the weights of attention: fractions of the multiples of the golden ratio, which lie evenly
// however many are taken, and each row begins elsewhere among them.
constexpr double kGoldenRatio = 0.6180339887498949;
constexpr size_t kDitherRows = 256, kDitherStep = 45;
// Parts are cut to multiples of so many panels: whole tiles of 2 and of 3.
constexpr size_t kPartPanels = 6;

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

void copy_rows(const float* rows, size_t stride, size_t count, size_t width, float* out, size_t out_stride) {
  for (size_t r = 0; r < count; ++r) std::memcpy(out + r * out_stride, rows + r * stride, width * sizeof(float));
}

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
  return config.hidden_size / config.num_attention_heads;
}

}  // namespace

// Arrays that one thread of a team needs for itself.
struct Model::Member {
  float* projected;     // (rows, head_width): query, key, value of one head
  float* keys;          // one head: panels[longest / 16][E][16]
  float* values;        // one head: panels[E / 16][longest][16]
  float* scores;        // (kQueryRows, longest)
  float* head_context;  // (kQueryRows, E)
  float* widened;       // weights of one register tile in float32

  // In int8 instead of keys and values in floats:
  BytePanels byte_keys, byte_values;
  ByteRows queries;        // (kQueryRows, E)
  ByteRows probabilities;  // (kQueryRows, longest)
};

// The arrays of one micro-batch. Strides are rounded up to whole panels, because kernels write whole panels.
struct Model::Scratch {
  Scratch(const Model& model, const std::vector<Text>& texts, size_t members, Arena& arena) : of_members(members) {
    const ModelConfig& config = model.config_;
    for (const Text& text : texts) {
      rows += text.length;
      longest = std::max(longest, text.length);
    }
    stride = round_up(config.hidden_size, kPanel);
    feed_forward_stride = round_up(config.intermediate_size, kPanel);
    score_stride = round_up(longest, kPanel);
    const size_t head_stride = round_up(model.head_size_, kPanel);
    const size_t widest = std::max(config.hidden_size, config.intermediate_size);
    // twice over the same list: for the sizes, then for the places
    const auto each_array = [&](const auto& place) {
      place(hidden, rows * stride);
      place(context, rows * stride);
      place(feed_forward, std::min(rows, kFeedForwardRows) * feed_forward_stride);
      if (model.precision_ == Precision::int8) {
        input.stride = round_up(widest, kAlignment);
        place(input.bytes, rows * input.stride);
        place(input.step, rows * groups_of(widest));
        place(input.lowest, rows * groups_of(widest));
      }
      for (Member& member : of_members) {
        place(member.projected, rows * model.head_width_);
        place(member.scores, std::min(longest, kQueryRows) * score_stride);
        place(member.head_context, std::min(longest, kQueryRows) * head_stride);
        if (model.precision_ == Precision::int8) {
          place_bytes(member, model.head_size_, place);
        } else {
          place(member.keys, score_stride * model.head_size_);
          place(member.values, longest * head_stride);
          place(member.widened, kWidenedPanels * kPanel * widest);
        }
      }
    };
    size_t total = 0;
    each_array([&](auto*& start, size_t count) { total += Arena::rounded(count * sizeof(*start)); });
    arena.reset(total);
    each_array([&]<typename T>(T*& start, size_t count) { start = arena.take<T>(count); });
  }

  template <typename Place>
  void place_bytes(Member& member, size_t head_size, const Place& place) const {
    const size_t most_rows = std::min(longest, kQueryRows);
    const auto place_panels = [&](BytePanels& panels) {
      place(panels.panels, panels.bytes());
      place(panels.scale, panels.outputs);
      place(panels.sums, panels.outputs);
    };
    const auto place_rows = [&](ByteRows& rows_of_head, size_t width) {
      rows_of_head.stride = round_up(width, kBytesOfSum);
      rows_of_head.group = rows_of_head.stride;
      rows_of_head.groups = 1;
      place(rows_of_head.bytes, most_rows * rows_of_head.stride);
      place(rows_of_head.step, most_rows);
      place(rows_of_head.lowest, most_rows);
    };
    member.byte_keys.resize(head_size, longest);
    member.byte_values.resize(longest, head_size);
    place_panels(member.byte_keys);
    place_panels(member.byte_values);
    place_rows(member.queries, head_size);
    place_rows(member.probabilities, longest);
  }

  size_t rows = 0;     // S
  size_t longest = 0;  // tokens of the longest text
  size_t stride, feed_forward_stride, score_stride;
  float* hidden;        // (S, D)
  float* context;       // (S, D): what attention gives
  float* feed_forward;  // (kFeedForwardRows, F)
  ByteRows input;       // (S, D) or (kFeedForwardRows, F) in int8: what the next linear layer reads
  std::vector<Member> of_members;
};

namespace {

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
    dither_.resize(config.max_position_embeddings + kDitherRows);
    for (size_t i = 0; i < dither_.size(); ++i) {
      const double turn = static_cast<double>(i) * kGoldenRatio;
      dither_[i] = static_cast<float>(turn - std::floor(turn)) - 0.5f;
    }
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
                      const BetweenLayers& between_layers) const {
  const Scratch scratch(*this, texts, team.members(), arena);
  embed(texts, scratch);
  norm(embedding_norm_, scratch, team);
  for (const auto& layer : layers_) {
    between_layers();
    attend(*layer, texts, scratch, team);
    norm(layer->attention_norm, scratch, team);
    feed_forward(*layer, scratch, team);
    norm(layer->output_norm, scratch, team);
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

// hidden += W softmax(Q K^T / sqrt(E)) V + b, head by head: a head's queries, keys and values stay in a core's cache
// until they are used up.
void Model::attend(const Layer& layer, const std::vector<Text>& texts, const Scratch& scratch, Team& team) const {
  const Input x = input(layer.query_key_value, scratch.hidden, scratch.stride, scratch.rows, scratch, team);
  team.for_each(config_.num_attention_heads, [&](size_t head, size_t number) {
    const Member& member = scratch.of_members[number];
    LinearOutput output;
    output.out = member.projected;
    output.out_stride = head_width_;
    const size_t panels = head_width_ / kPanel;
    {
      const Timer timer(timing_, Part::query_key_value);
      multiply_panels(layer.query_key_value, head * panels, panels, x, scratch.rows, output, member.widened);
    }
    const Timer timer(timing_, Part::attention);
    size_t row = 0;
    for (const Text& text : texts) {
      const float* projected = member.projected + row * head_width_;
      float* context = scratch.context + row * scratch.stride + head * head_size_;
      if (precision_ == Precision::int8) {
        attend_head_in_bytes(text.length, projected, context, scratch, member);
      } else {
        attend_head(text.length, projected, context, scratch, member);
      }
      row += text.length;
    }
  });
  const Input mixed = input(layer.attention_output, scratch.context, scratch.stride, scratch.rows, scratch, team);
  LinearOutput output;
  output.residual = output.out = scratch.hidden;
  output.residual_stride = output.out_stride = scratch.stride;
  multiply(layer.attention_output, mixed, scratch.rows, output, scratch, Part::attention_output, team);
}

// softmax(Q K^T / sqrt(E)) V for one text and one head, with the same product as the linear layers.
void Model::attend_head(size_t length, const float* projected, float* context, const Scratch& scratch,
                        const Member& member) const {
  pack_rows(projected + head_size_, head_width_, length, head_size_, member.keys);
  pack_values(projected + 2 * head_size_, head_width_, length, head_size_, member.values);
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size_));
  const bool is_whole = head_size_ % kPanel == 0;  // otherwise whole panels would run into the next head

  LinearTask match;
  match.x_stride = head_width_;
  match.panels = member.keys;
  match.inputs = head_size_;
  match.outputs = round_up(length, kPanel);
  match.out = member.scores;
  match.out_stride = scratch.score_stride;

  LinearTask mix;
  mix.x = member.scores;
  mix.x_stride = scratch.score_stride;
  mix.panels = member.values;
  mix.inputs = length;
  mix.outputs = round_up(head_size_, kPanel);
  mix.out = member.head_context;
  mix.out_stride = is_whole ? scratch.stride : mix.outputs;

  for (size_t first = 0; first < length; first += kQueryRows) {
    const size_t rows = std::min(kQueryRows, length - first);
    float* target = context + first * scratch.stride;
    match.x = projected + first * head_width_;
    match.rows = mix.rows = rows;
    kernels_.linear(match);
    for (size_t r = 0; r < rows; ++r) kernels_.softmax(member.scores + r * scratch.score_stride, length, scale);
    if (is_whole) mix.out = target;
    kernels_.linear(mix);
    if (!is_whole) copy_rows(mix.out, mix.out_stride, rows, head_size_, target, scratch.stride);
  }
}

// The same with bytes in both products. Queries and keys have a scale for each token, probabilities one for each row,
// values one for each number of the head. Cosine to float32 that this costs: 3e-5 on 1,000 texts.
void Model::attend_head_in_bytes(size_t length, const float* projected, float* context, const Scratch& scratch,
                                 const Member& member) const {
  BytePanels keys = member.byte_keys, values = member.byte_values;
  keys.resize(head_size_, length);
  values.resize(length, head_size_);
  kernels_.pack_keys(projected + head_size_, head_width_, length, head_size_, keys);
  kernels_.pack_values(projected + 2 * head_size_, head_width_, length, head_size_, values);
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_size_));

  ByteLinearTask match = keys.task();
  match.x = member.queries;
  match.out = member.scores;
  match.out_stride = scratch.score_stride;

  ByteLinearTask mix = values.task();
  mix.x = member.probabilities;
  mix.x.stride = mix.x.group = values.inputs;
  const bool is_whole = head_size_ % kPanel == 0;  // otherwise whole panels would run into the next head
  mix.out = member.head_context;
  mix.out_stride = is_whole ? scratch.stride : mix.outputs;

  for (size_t first = 0; first < length; first += kQueryRows) {
    const size_t rows = std::min(kQueryRows, length - first);
    float* target = context + first * scratch.stride;
    kernels_.quantize(projected + first * head_width_, head_width_, rows, head_size_, nullptr, match.x);
    match.rows = mix.rows = rows;
    kernels_.byte_linear(match);
    for (size_t r = 0; r < rows; ++r) {
      const float* dither = dither_.data() + (first + r) * kDitherStep % kDitherRows;
      const int32_t sum = kernels_.byte_softmax(member.scores + r * scratch.score_stride, length, scale, dither,
                                                mix.x.bytes + r * mix.x.stride);
      mix.x.step[r] = 1.0f / static_cast<float>(sum);
      mix.x.lowest[r] = 0.0f;
    }
    if (is_whole) mix.out = target;
    kernels_.byte_linear(mix);
    if (!is_whole) copy_rows(mix.out, mix.out_stride, rows, head_size_, target, scratch.stride);
  }
}

void Model::feed_forward(const Layer& layer, const Scratch& scratch, Team& team) const {
  LinearOutput up;
  up.out = scratch.feed_forward;
  up.out_stride = scratch.feed_forward_stride;
  up.activation = Activation::gelu;
  LinearOutput down;
  down.residual_stride = down.out_stride = scratch.stride;
  for (size_t first = 0; first < scratch.rows; first += kFeedForwardRows) {
    const size_t rows = std::min(kFeedForwardRows, scratch.rows - first);
    float* hidden = scratch.hidden + first * scratch.stride;
    down.residual = down.out = hidden;
    const Input narrow = input(layer.up, hidden, scratch.stride, rows, scratch, team);
    multiply(layer.up, narrow, rows, up, scratch, Part::up, team);
    const Input wide = input(layer.down, scratch.feed_forward, scratch.feed_forward_stride, rows, scratch, team);
    multiply(layer.down, wide, rows, down, scratch, Part::down, team);
  }
}

void Model::norm(const LayerNorm& norm, const Scratch& scratch, Team& team) const {
  share_rows(scratch.rows, team, [&](size_t first, size_t count) {
    const Timer timer(timing_, Part::norm);
    kernels_.layer_norm(scratch.hidden + first * scratch.stride, scratch.stride, count, config_.hidden_size,
                        norm.gamma.data(), norm.beta.data(), config_.layer_norm_eps);
  });
}

Model::Input Model::input(const Linear& linear, const float* rows, size_t stride, size_t count, const Scratch& scratch,
                          Team& team) const {
  if (precision_ == Precision::float32) return {rows, stride, {}};
  ByteRows bytes = scratch.input;
  bytes.stride = round_up(linear.inputs(), kAlignment);
  bytes.group = kGroup;
  bytes.groups = groups_of(linear.inputs());
  share_rows(count, team, [&](size_t first, size_t part) {
    const Timer timer(timing_, Part::quantize);
    ByteRows of_part = bytes;
    of_part.bytes += first * bytes.stride;
    of_part.step += first * bytes.groups;
    of_part.lowest += first * bytes.groups;
    kernels_.quantize(rows + first * stride, stride, part, linear.inputs(), linear.factors(), of_part);
  });
  return {rows, stride, bytes};
}

void Model::multiply(const Linear& linear, const Input& x, size_t rows, const LinearOutput& output,
                     const Scratch& scratch, Part part, Team& team) const {
  const size_t size =
      team.members() == 1 ? linear.panels() : round_up(linear.panels() / (4 * team.members()) + 1, kPartPanels);
  team.for_each((linear.panels() + size - 1) / size, [&](size_t index, size_t member) {
    const Timer timer(timing_, part);
    const size_t first = index * size;
    LinearOutput shifted = output;
    shifted.out += first * kPanel;
    if (output.residual) shifted.residual += first * kPanel;
    multiply_panels(linear, first, std::min(size, linear.panels() - first), x, rows, shifted,
                    scratch.of_members[member].widened);
  });
}

void Model::multiply_panels(const Linear& linear, size_t first, size_t count, const Input& x, size_t rows,
                            const LinearOutput& output, float* widened) const {
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
  task.widened = widened;
  kernels_.linear(task);
}

}  // namespace gtekit
