#include "weights.h"

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

TEST(parts_of_a_linear_layer_stand_one_below_the_other_even_inside_a_panel) {
  constexpr size_t kInputs = 3;
  std::vector<float> first(10 * kInputs, 1.0f), second(10 * kInputs, 2.0f), bias(10, 0.5f);
  const Tensors tensors = {{"a.weight", {first.data(), Dtype::float32, {10, kInputs}}},
                           {"a.bias", {bias.data(), Dtype::float32, {10}}},
                           {"b.weight", {second.data(), Dtype::float32, {10, kInputs}}},
                           {"b.bias", {bias.data(), Dtype::float32, {10}}}};
  const Linear linear(TensorReader(tensors), {{"a", 10}, {"b", 10}}, kInputs);
  CHECK(linear.outputs() == 32, linear.outputs());
  const std::vector<float> x = {1, 1, 1};
  std::vector<float> out(32);
  LinearTask task = linear.task();
  task.x = x.data();
  task.x_stride = kInputs;
  task.rows = 1;
  task.out = out.data();
  task.out_stride = 32;
  kScalar.linear(task);
  for (size_t n = 0; n < 32; ++n) CHECK(out[n] == (n < 10 ? 3.5f : n < 20 ? 6.5f : 0.0f), n, out[n]);
}

TEST(a_missing_tensor_and_a_wrong_shape_are_named) {
  const float values[6] = {};
  const Tensors tensors = {{"w", {values, Dtype::float32, {2, 3}}}};
  CHECK_THROWS(std::invalid_argument, "'v' is missing", TensorReader(tensors).vector("v", 3));
  CHECK_THROWS(std::invalid_argument, "shape (2, 3), expected (3, 2)", TensorReader(tensors).matrix("w", 3, 2));
}

int main() { return test::run_all(); }
