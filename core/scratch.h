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
        const size_t block = std::min(rows, kFeedForwardRows);
        const size_t groups =
            std::max(rows * groups_of(config.hidden_size), block * groups_of(config.intermediate_size));
        place(input.bytes, std::max(rows * round_up(config.hidden_size, kAlignment),
                                    block * round_up(config.intermediate_size, kAlignment)));
        place(input.step, groups);
        place(input.lowest, groups);
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

}  // namespace gtekit
