// A checkpoint for tests of whole texts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gtekit.h"
#include "test.h"

namespace test {

// A small checkpoint with odd sizes: heads of 20 do not fill a panel, 60 and 100 do not fill a register.
struct TinyCheckpoint {
  gtekit::ModelConfig config{60, 2, 3, 100, 50, 40, 2, 1e-12f};
  std::map<std::string, std::vector<float>> values;

  explicit TinyCheckpoint(size_t heads = 3) {
    config.num_attention_heads = heads;
    unsigned seed = 1;
    const auto add = [&](const std::string& name, size_t count, float shift = 0.0f) {
      values[name] = random_floats(count, seed++, 0.1f);
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

  gtekit::Tensors tensors() const {
    gtekit::Tensors named;
    for (const auto& [name, data] : values) {
      std::vector<size_t> shape = {data.size()};
      if (name.find("embeddings.weight") != std::string::npos) shape = {data.size() / 60, 60};
      if (name.ends_with("output.dense.weight") && !name.ends_with("attention.output.dense.weight"))
        shape = {60, 100};
      else if (name.ends_with("dense.weight") || name.find("self.") != std::string::npos) {
        if (name.ends_with(".weight")) shape = {data.size() / 60, 60};
      }
      named[name] = {data.data(), gtekit::Dtype::float32, shape};
    }
    return named;
  }
};

// Texts of 1 to 40 tokens, in no order.
inline std::vector<std::vector<int32_t>> texts() {
  std::mt19937 generator(5);
  std::vector<std::vector<int32_t>> all;
  for (size_t length : {1u, 40u, 2u, 17u, 33u, 7u, 40u, 1u, 12u}) {
    std::vector<int32_t> ids(length);
    for (int32_t& id : ids) id = static_cast<int32_t>(generator() % 50);
    all.push_back(ids);
  }
  return all;
}

}  // namespace test
