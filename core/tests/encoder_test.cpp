// Whole texts through every kernel set: close to scalar, and the same bits in any company.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "gtekit.h"
#include "test.h"
#include "tiny_checkpoint.h"

using namespace gtekit;
using test::texts;
using test::TinyCheckpoint;

namespace {

struct Batch {
  std::vector<int32_t> token_ids;
  std::vector<int64_t> cu_seqlens = {0};
  PackedTexts packed() const { return {token_ids.data(), cu_seqlens.data(), cu_seqlens.size() - 1}; }
  void add(const std::vector<int32_t>& text) {
    token_ids.insert(token_ids.end(), text.begin(), text.end());
    cu_seqlens.push_back(static_cast<int64_t>(token_ids.size()));
  }
};

Batch all_texts() {
  Batch batch;
  for (const auto& text : texts()) batch.add(text);
  return batch;
}

std::vector<float> encode(Encoder& encoder, const Batch& batch, size_t batch_tokens = 64) {
  std::vector<float> out((batch.cu_seqlens.size() - 1) * 60);
  encoder.encode(batch.packed(), Pooling::mean, true, batch_tokens, out.data(), nullptr);
  return out;
}

}  // namespace

TEST(every_kernel_set_is_close_to_scalar_with_whole_and_with_odd_heads) {
  for (size_t heads : {3u, 5u, 1u}) {
    const TinyCheckpoint checkpoint(heads);
    const Batch batch = all_texts();
    Encoder scalar(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1);
    const std::vector<float> expected = encode(scalar, batch);
    for (const std::string& isa : possible_isas()) {
      Encoder encoder(checkpoint.config, checkpoint.tensors(), isa, Precision::float32, 2);
      const std::vector<float> found = encode(encoder, batch);
      for (size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 2e-6f, isa, heads, i);
    }
  }
}

TEST(int8_is_close_to_int8_of_scalar_and_to_float32) {
  for (size_t heads : {3u, 5u, 1u}) {
    const TinyCheckpoint checkpoint(heads);
    const Batch batch = all_texts();
    Encoder scalar(checkpoint.config, checkpoint.tensors(), "scalar", Precision::int8, 1);
    Encoder exact(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1);
    const std::vector<float> of_scalar = encode(scalar, batch), of_floats = encode(exact, batch);
    for (const std::string& isa : possible_isas()) {
      Encoder encoder(checkpoint.config, checkpoint.tensors(), isa, Precision::int8, 2);
      const std::vector<float> found = encode(encoder, batch);
      for (size_t text = 0; text < texts().size(); ++text) {
        // numbers on the edge of two bytes fall to either side, and GELU and softmax are not the C library's
        const double to_scalar = test::cosine(&found[text * 60], &of_scalar[text * 60], 60);
        CHECK(to_scalar > 0.9999, isa, heads, text, to_scalar);
        const double to_floats = test::cosine(&found[text * 60], &of_floats[text * 60], 60);
        CHECK(to_floats > 0.9998, isa, heads, text, to_floats);
      }
      CHECK(found != of_floats, isa);  // as they would be if nothing were quantized
    }
  }
}

TEST(a_text_gives_the_same_bits_alone_and_in_company) {
  const TinyCheckpoint checkpoint;
  const Batch batch = all_texts();
  for (const std::string& isa : possible_isas()) {
    for (const Precision precision : {Precision::float32, Precision::int8}) {
      Encoder single(checkpoint.config, checkpoint.tensors(), isa, precision, 1);
      for (size_t threads : {1u, 3u, 8u}) {  // one text alone is spread over all threads
        Encoder encoder(checkpoint.config, checkpoint.tensors(), isa, precision, threads);
        for (size_t batch_tokens : {1u, 50u, 1000u}) {
          const std::vector<float> together = encode(encoder, batch, batch_tokens);
          for (size_t i = 0; i < texts().size(); ++i) {
            Batch alone;
            alone.add(texts()[i]);
            for (Encoder* by : {&single, &encoder}) {
              const std::vector<float> one = encode(*by, alone);
              CHECK(std::memcmp(one.data(), together.data() + i * 60, 60 * sizeof(float)) == 0, isa, threads, i);
            }
          }
        }
      }
    }
  }
}

TEST(int8_takes_a_third_of_the_weights_memory) {
  const TinyCheckpoint checkpoint;
  Encoder exact(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1);
  Encoder bytes(checkpoint.config, checkpoint.tensors(), "scalar", Precision::int8, 1);
  CHECK(exact.precision() == Precision::float32 && bytes.precision() == Precision::int8);
  // panels, scales and sums; the embeddings, 50 + 40 rows of 60 floats, stay as they are
  const size_t kept = 90 * 60 * sizeof(float);
  CHECK(3 * (bytes.weight_bytes() - kept) < exact.weight_bytes() - kept, bytes.weight_bytes(), exact.weight_bytes());
}

TEST(parts_are_timed_when_it_is_on_and_begin_at_zero) {
  const TinyCheckpoint checkpoint;
  for (const Precision precision : {Precision::float32, Precision::int8}) {
    Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", precision, 1);
    encode(encoder, all_texts());
    for (const auto& [part, seconds] : encoder.part_seconds()) CHECK(seconds == 0.0, part, seconds);
    encoder.time_parts(true);
    encode(encoder, all_texts());
    for (const auto& [part, seconds] : encoder.part_seconds()) {
      const bool is_used = precision == Precision::int8 || part != "quantize";
      CHECK((seconds > 0.0) == is_used, part, seconds);
    }
    encoder.time_parts(false);
    encode(encoder, all_texts());
    for (const auto& [part, seconds] : encoder.part_seconds()) CHECK(seconds == 0.0, part, seconds);
  }
}

TEST(cls_pooling_is_the_first_hidden_state_and_mean_pooling_their_average) {
  const TinyCheckpoint checkpoint;
  Batch batch;
  batch.add(texts()[3]);
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1);
  std::vector<float> hidden(17 * 60), cls(60), mean(60);
  encoder.hidden_states(batch.packed(), 64, hidden.data(), nullptr);
  encoder.encode(batch.packed(), Pooling::cls, false, 64, cls.data(), nullptr);
  encoder.encode(batch.packed(), Pooling::mean, false, 64, mean.data(), nullptr);
  CHECK(std::equal(cls.begin(), cls.end(), hidden.begin()));
  for (size_t i = 0; i < 60; ++i) {
    double sum = 0.0;
    for (size_t row = 0; row < 17; ++row) sum += hidden[row * 60 + i];
    CHECK(std::abs(mean[i] - sum / 17) < 1e-6, i);
  }
}

TEST(no_texts_give_no_vectors) {
  const TinyCheckpoint checkpoint;
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1);
  CHECK(encode(encoder, Batch()).empty());
}

TEST(texts_that_the_model_cannot_read_are_refused) {
  const TinyCheckpoint checkpoint;
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1);
  Batch beyond, negative, empty, longer;
  beyond.add({1, 50});
  negative.add({-1});
  empty.add({});
  longer.add(std::vector<int32_t>(41, 1));
  CHECK_THROWS(std::invalid_argument, "token 1 has id 50", encode(encoder, beyond));
  CHECK_THROWS(std::invalid_argument, "id -1", encode(encoder, negative));
  CHECK_THROWS(std::invalid_argument, "has 0 tokens", encode(encoder, empty));
  CHECK_THROWS(std::invalid_argument, "has 41 tokens, the model has positions for 40", encode(encoder, longer));
}

TEST(any_token_budget_is_possible) {
  const TinyCheckpoint checkpoint;
  Batch batch;
  for (const auto& text : texts()) batch.add(text);
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 4);
  const std::vector<float> expected = encode(encoder, batch);
  for (const size_t batch_tokens : {size_t{0}, size_t{1}, size_t{1} << 62, ~size_t{0}}) {
    CHECK(encode(encoder, batch, batch_tokens) == expected, batch_tokens);
  }
}

TEST(sizes_of_zero_and_too_many_threads_are_refused) {
  TinyCheckpoint checkpoint;
  CHECK_THROWS(std::invalid_argument, "threads is 0",
               Encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 0));
  CHECK_THROWS(std::invalid_argument, "1 to 1024",
               Encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1 << 20));
  checkpoint.config.type_vocab_size = 0;
  CHECK_THROWS(std::invalid_argument, "is 0",
               Encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1));
}

TEST(heads_that_do_not_divide_the_hidden_size_are_refused) {
  TinyCheckpoint checkpoint;
  checkpoint.config.num_attention_heads = 7;
  CHECK_THROWS(std::invalid_argument, "multiple of num_attention_heads 7",
               Encoder(checkpoint.config, checkpoint.tensors(), "scalar", Precision::float32, 1));
}

int main() { return test::run_all(); }
