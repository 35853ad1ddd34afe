#include "weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "test.h"

using namespace gtekit;

namespace {

// What IEEE 754 says a half is worth.
double value_of_half(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double fraction = half & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

}  // namespace

TEST(every_finite_half_widens_to_its_value) {
  for (uint32_t half = 0; half < 65536; ++half) {
    if ((half >> 10 & 31) == 31) continue;  // infinities and NaN are refused with the checkpoint
    const uint16_t bits = static_cast<uint16_t>(half);
    float found;
    widen({&bits, Dtype::float16, {1}}, 0, 1, &found);
    CHECK(static_cast<double>(found) == value_of_half(bits), half, found);
    CHECK(std::signbit(found) == (bits >> 15 == 1), half);
  }
}

TEST(bfloat16_widens_by_its_bits) {
  const uint16_t bits[] = {0x3f80, 0xc000, 0x0001};
  float found[3];
  widen({bits, Dtype::bfloat16, {3}}, 0, 3, found);
  CHECK(found[0] == 1.0f && found[1] == -2.0f && std::bit_cast<uint32_t>(found[2]) == 0x00010000u);
}

TEST(widen_begins_where_it_is_told) {
  const float values[] = {1, 2, 3, 4};
  float found[2];
  widen({values, Dtype::float32, {4}}, 2, 2, found);
  CHECK(found[0] == 3.0f && found[1] == 4.0f);
}

TEST(packed_rows_lie_in_panels_and_the_last_is_filled_with_zeros) {
  constexpr size_t kRows = 19, kInputs = 5, kStride = 7;
  std::vector<float> rows(kRows * kStride);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i + 1);
  std::vector<float> panels(2 * kInputs * kPanel, -1.0f);
  pack_rows(rows.data(), kStride, kRows, kInputs, panels.data());
  for (size_t n = 0; n < 2 * kPanel; ++n) {
    for (size_t k = 0; k < kInputs; ++k) {
      const float found = panels[(n / kPanel * kInputs + k) * kPanel + n % kPanel];
      CHECK(found == (n < kRows ? rows[n * kStride + k] : 0.0f), n, k, found);
    }
  }
}

TEST(parts_of_a_linear_layer_stand_in_their_columns_even_inside_a_panel) {
  constexpr size_t kInputs = 3;
  std::vector<float> first(10 * kInputs, 1.0f), second(10 * kInputs, 2.0f), bias(10, 0.5f);
  std::fill_n(second.begin(), 4 * kInputs, 7.0f);
  const Tensors tensors = {{"a.weight", {first.data(), Dtype::float32, {10, kInputs}}},
                           {"a.bias", {bias.data(), Dtype::float32, {10}}},
                           {"b.weight", {second.data(), Dtype::float32, {10, kInputs}}},
                           {"b.bias", {bias.data(), Dtype::float32, {10}}}};
  // all of a, then rows 4 to 9 of b one column further on
  const Linear linear(TensorReader(tensors), {{"a", 10, 0, 10, 0}, {"b", 10, 4, 6, 11}}, kInputs, 20,
                      Precision::float32);
  CHECK(linear.panels() == 2, linear.panels());
  const std::vector<float> x = {1, 1, 1};
  std::vector<float> out(32);
  LinearTask task = linear.task(0, 2);
  task.x = x.data();
  task.x_stride = kInputs;
  task.rows = 1;
  task.out = out.data();
  task.out_stride = 32;
  kScalar.linear(task);
  for (size_t n = 0; n < 32; ++n) {
    const float right = n < 10 ? 3.5f : n >= 11 && n < 17 ? 6.5f : 0.0f;
    CHECK(out[n] == right, n, out[n]);
  }
  task = linear.task(1, 1);
  task.x = x.data();
  task.rows = 1;
  std::vector<float> of_second(kPanel);
  task.out = of_second.data();
  kScalar.linear(task);
  CHECK(std::equal(of_second.begin(), of_second.end(), out.begin() + kPanel));
}

// With rows that are 1 at one input and 0 elsewhere, each weight comes out by itself.
TEST(bytes_of_weights_are_within_half_a_step_of_the_checkpoint) {
  constexpr size_t kInputs = kMostInGroup + 38, kOutputs = 20;  // groups of 160 and 134 inputs
  std::vector<float> weights = test::random_floats(kOutputs * kInputs, 1, 0.05f);
  std::fill_n(weights.begin(), kInputs, 0.0f);
  weights[2 * kInputs + 5] = 3.0f;  // one that is far from the rest of its row makes only its group coarse
  const std::vector<float> bias = test::random_floats(kOutputs, 2);
  const Tensors tensors = {{"a.weight", {weights.data(), Dtype::float32, {kOutputs, kInputs}}},
                           {"a.bias", {bias.data(), Dtype::float32, {kOutputs}}}};
  const Linear linear(TensorReader(tensors), {{"a", kOutputs, 0, kOutputs, 0}}, kInputs, kOutputs, Precision::int8);
  const size_t stride = round_up(kInputs, kBytesOfSum), outputs = linear.panels() * kPanel;
  const Groups& groups = linear.groups();
  CHECK(groups.count == 2, groups.count, groups.size);
  std::vector<float> x(kInputs * kInputs, 0.0f), step(kInputs * groups.count), lowest(kInputs);
  for (size_t k = 0; k < kInputs; ++k) x[k * kInputs + k] = 1.0f;
  std::vector<uint8_t> bytes(kInputs * stride);
  ByteLinearTask task = linear.byte_task(0, linear.panels());
  task.x = {bytes.data(), stride, step.data(), lowest.data(), groups.size, groups.count};
  kScalar.quantize(x.data(), kInputs, kInputs, kInputs, linear.factors(), task.x);
  std::vector<float> out(kInputs * outputs);
  task.rows = kInputs;
  task.out = out.data();
  task.out_stride = outputs;
  kScalar.byte_linear(task);
  for (size_t n = 0; n < kOutputs; ++n) {
    for (size_t k = 0; k < kInputs; ++k) {
      const float* row = weights.data() + n * kInputs;
      float largest = 0.0f;
      const size_t begin = k / groups.size * groups.size;
      for (size_t i = begin; i < std::min(kInputs, begin + groups.size); ++i) {
        largest = std::max(largest, std::abs(row[i]));
      }
      const float found = out[k * outputs + n] - bias[n];
      CHECK(std::abs(found - row[k]) <= 0.501f * largest / 127.0f + 1e-6f, n, k, found, row[k]);
    }
  }
  for (size_t n = kOutputs; n < outputs; ++n) CHECK(out[n] == 0.0f, n, out[n]);
}

TEST(groups_are_of_one_size_but_for_the_last_and_none_is_empty) {
  for (const size_t most : {kMostInGroup, kMostInGroupAfterNorm}) {
    for (size_t inputs = 1; inputs <= 5'000; ++inputs) {
      const Groups groups(inputs, most);
      CHECK(groups.size <= most && groups.size % kBytesOfSum == 0, inputs, most, groups.size);
      CHECK((groups.count - 1) * groups.size < inputs && inputs <= groups.count * groups.size, inputs, most);
    }
  }
  CHECK(Groups(384, kMostInGroup).size == 192 && Groups(1536, kMostInGroup).size == 256);
}

TEST(a_missing_tensor_and_a_wrong_shape_are_named) {
  const float values[6] = {};
  const Tensors tensors = {{"w", {values, Dtype::float32, {2, 3}}}};
  CHECK_THROWS(std::invalid_argument, "'v' is missing", TensorReader(tensors).vector("v", 3));
  CHECK_THROWS(std::invalid_argument, "shape (2, 3), expected (3, 2)", TensorReader(tensors).matrix("w", 3, 2));
}

int main() { return test::run_all(); }
