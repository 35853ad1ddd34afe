// The arrays of one micro-batch on its way through the layers. Only model.cpp and attention.cpp look inside.
#pragma once

#include <algorithm>
#include <vector>

#include "arena.h"
#include "model.h"

namespace gtekit {

// Rows of a feed-forward block: 96 x 1536 floats are 576 KiB, so both halves of it stay in a core's L2.
inline constexpr size_t kFeedForwardRows = 96;
// Rows of an attention block: their scores over 512 keys are 96 KiB.
inline constexpr size_t kQueryRows = 48;

// Rows that lie a multiple of 1 KiB apart share few sets of a cache, and those of a tile push each other out: 24 rows
// of 1,536 floats lay in two of 64 sets, 76 % of the ceiling in place of 98. Such rows are moved on by a cache line.
constexpr size_t spread(size_t floats) { return floats % 256 == 0 ? floats + kPanel : floats; }

// Arrays that one thread of a team needs for itself.
struct Model::Member {
  float* projected;     // (rows, head_width): query, key, value of one head
  float* keys;          // one head: panels[longest / 16][E][16]
  float* values;        // one head: panels[E / 16][longest][16]
  float* head_context;  // (kQueryRows, E)
  float* scores;        // (kQueryRows, longest)

  // In int8 instead of keys, values and scores:
  ByteQueries queries;  // (longest, E)
  BytePanels byte_keys, byte_values;
  int32_t* byte_scores;    // (kQueryRows, longest)
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
    stride = spread(round_up(config.hidden_size, kPanel));
    feed_forward_stride = spread(round_up(config.intermediate_size, kPanel));
    score_stride = spread(round_up(longest, kPanel));
    const size_t head_stride = round_up(model.head_size_, kPanel);
    if (!model.layers_.empty()) {
      const Layer& layer = *model.layers_.front();  // all layers are alike
      hidden_bytes = byte_rows(layer.query_key_value);
      context_bytes = byte_rows(layer.attention_output);
      feed_forward_bytes = byte_rows(layer.down);
    }
    // twice over the same list: for the sizes, then for the places
    const auto each_array = [&](const auto& place) {
      place(hidden, rows * stride);
      place(context, rows * stride);
      place(feed_forward, std::min(rows, kFeedForwardRows) * feed_forward_stride);
      if (model.precision_ == Precision::int8) {
        place_rows(hidden_bytes, rows, place);
        place_rows(context_bytes, rows, place);
        place_rows(feed_forward_bytes, std::min(rows, kFeedForwardRows), place);
      }
      for (Member& member : of_members) {
        place(member.projected, rows * model.head_width_);
        place(member.head_context, std::min(longest, kQueryRows) * head_stride);
        if (model.precision_ == Precision::int8) {
          place_bytes(member, model.head_size_, place);
        } else {
          place(member.scores, std::min(longest, kQueryRows) * score_stride);
          place(member.keys, score_stride * model.head_size_);
          place(member.values, longest * head_stride);
        }
      }
    };
    size_t total = 0;
    each_array([&](auto*& start, size_t count) { total += Arena::rounded(count * sizeof(*start)); });
    arena.reset(total);
    each_array([&]<typename T>(T*& start, size_t count) { start = arena.take<T>(count); });
  }

  Input hidden_rows(size_t first) const { return Input{hidden, stride, hidden_bytes}.from(first); }

  // What a linear layer reads in int8.
  static ByteRows byte_rows(const Linear& linear) {
    ByteRows rows;
    rows.stride = round_up(linear.inputs(), kAlignment) + kAlignment;  // one more, for the same reason as `spread`
    rows.group = linear.groups().size;
    rows.groups = linear.groups().count;
    return rows;
  }

  template <typename Place>
  static void place_rows(ByteRows& of_input, size_t count, const Place& place) {
    place(of_input.bytes, count * of_input.stride);
    place(of_input.step, count * of_input.groups);
    place(of_input.lowest, count);
  }

  template <typename Place>
  void place_bytes(Member& member, size_t head_size, const Place& place) const {
    const size_t most_rows = std::min(longest, kQueryRows);
    const auto place_panels = [&](BytePanels& panels) {
      place(panels.panels, panels.bytes());
      place(panels.sums, panels.outputs);
    };
    member.queries.stride = round_up(head_size, kBytesOfSum);
    place(member.queries.bytes, longest * member.queries.stride);
    member.byte_keys.resize(head_size, longest);
    place_panels(member.byte_keys);
    member.byte_values.resize(longest, head_size);
    place_panels(member.byte_values);
    place(member.byte_values.scale, member.byte_values.outputs);
    place(member.byte_scores, most_rows * score_stride);
    member.probabilities.groups = 1;
    place(member.probabilities.bytes, most_rows * round_up(longest, kBytesOfSum));
    place(member.probabilities.step, most_rows);
  }

  size_t rows = 0;     // S
  size_t longest = 0;  // tokens of the longest text
  size_t stride, feed_forward_stride, score_stride;
  float* hidden;                // (S, D)
  float* context;               // (S, D): what attention gives
  float* feed_forward;          // (kFeedForwardRows, F)
  ByteRows hidden_bytes;        // (S, D) in int8, after a layer norm
  ByteRows context_bytes;       // (S, D)
  ByteRows feed_forward_bytes;  // (kFeedForwardRows, F)
  std::vector<Member> of_members;
};

}  // namespace gtekit
