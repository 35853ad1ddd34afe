// Attention of a layer (arXiv:1706.03762), text by text and head by head, in floats or in bytes.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "model.h"
#include "scratch.h"

namespace gtekit {
namespace {

// Thresholds for rounding the weights of attention: fractions of the multiples of the golden ratio, which lie evenly
// however many are taken, and each row begins elsewhere among them.
constexpr double kGoldenRatio = 0.6180339887498949;
constexpr size_t kDitherRows = 256, kDitherStep = 45;

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

}  // namespace

std::vector<float> Model::thresholds(size_t positions) {
  std::vector<float> values(positions + kDitherRows);
  for (size_t i = 0; i < values.size(); ++i) {
    const double turn = static_cast<double>(i) * kGoldenRatio;
    values[i] = static_cast<float>(turn - std::floor(turn)) - 0.5f;
  }
  return values;
}

// hidden += W softmax(Q K^T / sqrt(E)) V + b, head by head: a head's queries, keys and values stay in a core's cache
// until they are used up.
void Model::attend(const Layer& layer, const std::vector<Text>& texts, const Scratch& scratch, Team& team) const {
  const Input x = scratch.hidden_rows(0);
  team.for_each(config_.num_attention_heads, [&](size_t head, size_t number) {
    const Member& member = scratch.of_members[number];
    LinearOutput output;
    output.out = member.projected;
    output.out_stride = head_width_;
    const size_t panels = head_width_ / kPanel;
    {
      const Timer timer(timing_, Part::query_key_value);
      multiply_panels(layer.query_key_value, head * panels, panels, x, scratch.rows, output);
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
  const Input mixed = {scratch.context, scratch.stride, scratch.context_bytes};
  quantize(layer.attention_output, mixed, scratch.rows, team);
  LinearOutput output;
  output.residual = output.out = scratch.hidden;
  output.residual_stride = output.out_stride = scratch.stride;
  multiply(layer.attention_output, mixed, scratch.rows, output, Part::attention_output, team);
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

// The same with bytes in both products. All queries share a scale, and so do the keys; probabilities have one for each
// row, values one for each number of the head. Cosine to float32 that this costs: 3e-5 on 1,000 texts.
void Model::attend_head_in_bytes(size_t length, const float* projected, float* context, const Scratch& scratch,
                                 const Member& member) const {
  BytePanels keys = member.byte_keys, values = member.byte_values;
  keys.resize(head_size_, length);
  values.resize(length, head_size_);
  ByteQueries queries = member.queries;
  const float of_queries = kernels_.pack_queries(projected, head_width_, length, head_size_, queries);
  const float of_keys = kernels_.pack_keys(projected + head_size_, head_width_, length, head_size_, keys);
  kernels_.pack_values(projected + 2 * head_size_, head_width_, length, head_size_, values);
  const float scale = of_queries * of_keys / std::sqrt(static_cast<float>(head_size_));

  ByteLinearTask mix;
  mix.x = member.probabilities;
  mix.x.stride = mix.x.group = values.inputs;
  mix.panels = values.panels;
  mix.scale = values.scale;
  mix.weight_sums = values.sums;
  mix.inputs = values.inputs;
  mix.outputs = values.outputs;
  const bool is_whole = head_size_ % kPanel == 0;  // otherwise whole panels would run into the next head
  mix.out = member.head_context;
  mix.out_stride = is_whole ? scratch.stride : mix.outputs;

  for (size_t first = 0; first < length; first += kQueryRows) {
    const size_t rows = std::min(kQueryRows, length - first);
    float* target = context + first * scratch.stride;
    kernels_.byte_scores(queries, rows, keys, member.byte_scores, scratch.score_stride);
    queries.bytes += rows * queries.stride;
    for (size_t r = 0; r < rows; ++r) {
      const float* dither = dither_.data() + (first + r) * kDitherStep % kDitherRows;
      const int32_t sum = kernels_.byte_softmax(member.byte_scores + r * scratch.score_stride, length, scale, dither,
                                                mix.x.bytes + r * mix.x.stride);
      mix.x.step[r] = 1.0f / static_cast<float>(sum);
    }
    mix.rows = rows;
    if (is_whole) mix.out = target;
    kernels_.byte_linear(mix);
    if (!is_whole) copy_rows(mix.out, mix.out_stride, rows, head_size_, target, scratch.stride);
  }
}

}  // namespace gtekit
