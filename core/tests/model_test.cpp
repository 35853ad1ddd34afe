// Whole texts through kernel tables themselves: also those that the encoder refuses here, and with helpers at work.
#include "model.h"

#include <cmath>
#include <cstring>
#include <thread>

#include "kernel_sets.h"
#include "test.h"
#include "tiny_checkpoint.h"

using namespace gtekit;
using test::for_every_set;
using test::TinyCheckpoint;

namespace {

constexpr Precision kPrecisions[] = {Precision::float32, Precision::int8};

// Not all: AVX-VNNI may have to be emulated, one instruction at a time.
std::vector<std::vector<int32_t>> few_texts() {
  const std::vector<std::vector<int32_t>> all = test::texts();
  return {all[0], all[2], all[3]};  // 1, 2 and 17 tokens
}

// Last hidden states, (S, D).
std::vector<float> run(const Model& model, const std::vector<std::vector<int32_t>>& texts, Team& team) {
  std::vector<Text> batch;
  size_t rows = 0;
  for (const std::vector<int32_t>& text : texts) {
    batch.push_back({text.data(), text.size()});
    rows += text.size();
  }
  Arena arena;
  const Hidden hidden = model.forward(batch, arena, team, [](size_t) {});
  const size_t size = model.config().hidden_size;
  std::vector<float> out(rows * size);
  for (size_t row = 0; row < rows; ++row) {
    std::memcpy(out.data() + row * size, hidden.rows + row * hidden.stride, size * sizeof(float));
  }
  return out;
}

std::vector<float> run(const Model& model, const std::vector<std::vector<int32_t>>& texts) {
  Team alone(1);
  return run(model, texts, alone);
}

}  // namespace

TEST(hidden_states_of_every_set_are_close_to_those_of_scalar) {
  const TinyCheckpoint checkpoint(5);
  const auto batch = few_texts();
  for (const Precision precision : kPrecisions) {
    // rounding in float32; in int8 numbers on the edge of two bytes, and GELU and softmax that are not the C library's
    const double least = precision == Precision::float32 ? 1.0 - 1e-10 : 0.9999;
    const std::vector<float> right = run(Model(checkpoint.config, checkpoint.tensors(), kScalar, precision, 1), batch);
    for_every_set([&](const KernelTable& table) {
      const Model model(checkpoint.config, checkpoint.tensors(), table, precision, 1);
      const std::vector<float> found = run(model, batch);
      for (size_t row = 0; row < found.size(); row += 60) {
        const double cosine = test::cosine(&found[row], &right[row], 60);
        CHECK(cosine > least, table.name, row / 60, cosine);
      }
    });
  }
}

TEST(a_text_gives_the_same_bits_alone_in_company_and_with_helpers) {
  const TinyCheckpoint checkpoint;
  for (const Precision precision : kPrecisions) {
    for_every_set([&](const KernelTable& table) {
      const Model model(checkpoint.config, checkpoint.tensors(), table, precision, 1);
      const std::vector<float> together = run(model, few_texts());
      std::vector<float> one_by_one, with_helpers;
      for (const auto& text : few_texts()) {
        const std::vector<float> states = run(model, {text});
        one_by_one.insert(one_by_one.end(), states.begin(), states.end());
      }
      CHECK(one_by_one == together, table.name);

      Team team(3);
      const size_t first = team.join(), second = team.join();
      std::thread helpers[] = {std::thread([&] { team.help(first, [] { return false; }); }),
                               std::thread([&] { team.help(second, [] { return false; }); })};
      CHECK(run(model, few_texts(), team) == together, table.name);
      for (const auto& text : few_texts()) {
        const std::vector<float> states = run(model, {text}, team);
        with_helpers.insert(with_helpers.end(), states.begin(), states.end());
      }
      CHECK(with_helpers == together, table.name);
      team.close();
      for (std::thread& helper : helpers) helper.join();
    });
  }
}

int main() {
  test::print_sets();
  return test::run_all();
}
