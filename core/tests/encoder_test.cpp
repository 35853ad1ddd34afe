// Whole texts through every kernel set: close to scalar, and the same bits in any company.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "gtekit.h"
#include "test.h"

using namespace gtekit;

namespace {

// A small checkpoint with odd sizes: heads of 20 do not fill a panel, 60 and 100 do not fill a register.
struct TinyCheckpoint {
  ModelConfig config{60, 2, 3, 100, 50, 40, 2, 1e-12f};
  std::map<std::string, std::vector<float>> values;

  explicit TinyCheckpoint(size_t heads = 3) {
    config.num_attention_heads = heads;
    unsigned seed = 1;
    const auto add = [&](const std::string& name, size_t count, float shift = 0.0f) {
      values[name] = test::random_floats(count, seed++, 0.1f);
      for (float& value : values[name]) value += shift;
    };
    const auto linear = [&](const std::string& name, size_t outputs, size_t inputs) {
      add(name + ".weight", outputs * inputs);
      add(name + ".bias", outputs);
    };
    const auto norm = [&](const std::string& name) {
      add(name + ".weight", 60, 1.0f);
      add(name + ".bias", 60);
    };
    add("embeddings.word_embeddings.weight", 50 * 60);
    add("embeddings.position_embeddings.weight", 40 * 60);
    add("embeddings.token_type_embeddings.weight", 2 * 60);
    norm("embeddings.LayerNorm");
    for (const std::string layer : {"encoder.layer.0.", "encoder.layer.1."}) {
      for (const char* part : {"query", "key", "value"}) linear(layer + "attention.self." + part, 60, 60);
      linear(layer + "attention.output.dense", 60, 60);
      norm(layer + "attention.output.LayerNorm");
      linear(layer + "intermediate.dense", 100, 60);
      linear(layer + "output.dense", 60, 100);
      norm(layer + "output.LayerNorm");
    }
  }

  Tensors tensors() const {
    Tensors named;
    for (const auto& [name, data] : values) {
      std::vector<size_t> shape = {data.size()};
      if (name.find("embeddings.weight") != std::string::npos) shape = {data.size() / 60, 60};
      if (name.ends_with("output.dense.weight") && !name.ends_with("attention.output.dense.weight"))
        shape = {60, 100};
      else if (name.ends_with("dense.weight") || name.find("self.") != std::string::npos) {
        if (name.ends_with(".weight")) shape = {data.size() / 60, 60};
      }
      named[name] = {data.data(), Dtype::float32, shape};
    }
    return named;
  }
};

struct Batch {
  std::vector<int32_t> token_ids;
  std::vector<int64_t> cu_seqlens = {0};
  PackedTexts packed() const { return {token_ids.data(), cu_seqlens.data(), cu_seqlens.size() - 1}; }
  void add(const std::vector<int32_t>& text) {
    token_ids.insert(token_ids.end(), text.begin(), text.end());
    cu_seqlens.push_back(static_cast<int64_t>(token_ids.size()));
  }
};

std::vector<std::vector<int32_t>> texts() {
  std::mt19937 generator(5);
  std::vector<std::vector<int32_t>> all;
  for (size_t length : {1u, 40u, 2u, 17u, 33u, 7u, 40u, 1u, 12u}) {
    std::vector<int32_t> ids(length);
    for (int32_t& id : ids) id = static_cast<int32_t>(generator() % 50);
    all.push_back(ids);
  }
  return all;
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
    Batch batch;
    for (const auto& text : texts()) batch.add(text);
    Encoder scalar(checkpoint.config, checkpoint.tensors(), "scalar", 1);
    const std::vector<float> expected = encode(scalar, batch);
    for (const std::string& isa : possible_isas()) {
      Encoder encoder(checkpoint.config, checkpoint.tensors(), isa, 2);
      const std::vector<float> found = encode(encoder, batch);
      for (size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 2e-6f, isa, heads, i);
    }
  }
}

TEST(a_text_gives_the_same_bits_alone_and_in_company) {
  const TinyCheckpoint checkpoint;
  Batch batch;
  for (const auto& text : texts()) batch.add(text);
  for (const std::string& isa : possible_isas()) {
    for (size_t threads : {1u, 3u}) {
      Encoder encoder(checkpoint.config, checkpoint.tensors(), isa, threads);
      for (size_t batch_tokens : {1u, 50u, 1000u}) {
        const std::vector<float> together = encode(encoder, batch, batch_tokens);
        for (size_t i = 0; i < texts().size(); ++i) {
          Batch alone;
          alone.add(texts()[i]);
          const std::vector<float> one = encode(encoder, alone);
          CHECK(std::memcmp(one.data(), together.data() + i * 60, 60 * sizeof(float)) == 0, isa, threads, i);
        }
      }
    }
  }
}

TEST(cls_pooling_is_the_first_hidden_state_and_mean_pooling_their_average) {
  const TinyCheckpoint checkpoint;
  Batch batch;
  batch.add(texts()[3]);
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", 1);
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
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", 1);
  CHECK(encode(encoder, Batch()).empty());
}

TEST(texts_that_the_model_cannot_read_are_refused) {
  const TinyCheckpoint checkpoint;
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", 1);
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
  Encoder encoder(checkpoint.config, checkpoint.tensors(), "scalar", 4);
  const std::vector<float> expected = encode(encoder, batch);
  for (const size_t batch_tokens : {size_t{0}, size_t{1}, size_t{1} << 62, ~size_t{0}}) {
    CHECK(encode(encoder, batch, batch_tokens) == expected, batch_tokens);
  }
}

TEST(sizes_of_zero_and_too_many_threads_are_refused) {
  TinyCheckpoint checkpoint;
  CHECK_THROWS(std::invalid_argument, "threads is 0", Encoder(checkpoint.config, checkpoint.tensors(), "scalar", 0));
  CHECK_THROWS(std::invalid_argument, "1 to 1024", Encoder(checkpoint.config, checkpoint.tensors(), "scalar", 1 << 20));
  checkpoint.config.type_vocab_size = 0;
  CHECK_THROWS(std::invalid_argument, "is 0", Encoder(checkpoint.config, checkpoint.tensors(), "scalar", 1));
}

TEST(heads_that_do_not_divide_the_hidden_size_are_refused) {
  TinyCheckpoint checkpoint;
  checkpoint.config.num_attention_heads = 7;
  CHECK_THROWS(std::invalid_argument, "multiple of num_attention_heads 7",
               Encoder(checkpoint.config, checkpoint.tensors(), "scalar", 1));
}

int main() { return test::run_all(); }
