// Rows of floats as bytes, of every set that can run here, against scalar.cpp.
#include <algorithm>
#include <cmath>

#include "gtekit.h"
#include "kernel_sets.h"
#include "kernels/table.h"
#include "test.h"

using namespace gtekit;
using test::for_every_set;
using test::kLongest;
using test::Shifted;

namespace {

// Rows of bytes with room beyond what belongs to them.
struct Quantized {
  Quantized(size_t num_rows, size_t stride, size_t group, size_t n)
      : groups((n + group - 1) / group),
        bytes(std::vector<uint8_t>(num_rows * stride, 77)),
        step(std::vector<float>(num_rows * groups, -1.0f)),
        lowest(std::vector<float>(num_rows, -1.0f)),
        rows{bytes.data(), stride, step.data(), lowest.data(), group, groups} {}
  size_t groups;
  Shifted<uint8_t> bytes;
  Shifted<float> step, lowest;
  ByteRows rows;
};

void compare_quantize(const KernelTable& table, const std::vector<float>& values, size_t rows, size_t n, size_t group,
                      bool with_factors = false) {
  const Shifted<float> x(values), weights(test::random_floats(n, 9));
  const float* factors = with_factors ? weights.data() : nullptr;
  const size_t stride = round_up(n, kBytesOfSum) + kBytesOfSum;
  Quantized expected(rows, stride, group, n), found(rows, stride, group, n);
  kScalar.quantize(x.data(), n, rows, n, factors, expected.rows);
  table.quantize(x.data(), n, rows, n, factors, found.rows);
  CHECK(found.step.storage == expected.step.storage, table.name, rows, n, group);
  CHECK(found.lowest.storage == expected.lowest.storage, table.name, rows, n, group);
  for (size_t i = 0; i < rows * stride; ++i) {
    const size_t row = i / stride, k = i % stride;
    const int byte = found.bytes.data()[i], right = expected.bytes.data()[i];
    if (byte == right) continue;
    const size_t place = row * found.groups + k / group;
    const float scaled = x.data()[row * n + k] * (factors ? factors[k] : 1.0f);
    const double exact =
        (static_cast<double>(scaled) - found.lowest.data()[row]) / static_cast<double>(found.step.data()[place]);
    const bool is_tie = std::abs(std::abs(exact - std::floor(exact)) - 0.5) < 1e-4;
    CHECK(k < n && is_tie && std::abs(byte - right) == 1, table.name, rows, n, group, row, k, byte, right, exact);
  }
}

}  // namespace

TEST(quantize_is_scalar_quantize_at_every_length_and_odd_addresses) {
  for_every_set([](const KernelTable& table) {
    for (size_t n = 1; n <= 3 * kLongest; ++n) {
      for (const size_t group : {4u, 20u, 32u, 128u}) {
        for (const float spread : {1e-35f, 1e-6f, 1.0f, 1e6f, 1e37f}) {  // the first is flat, the last nearly overflows
          for (const bool with_factors : {false, true}) {
            const auto seed = static_cast<unsigned>(n);
            compare_quantize(table, test::random_floats(3 * n, seed, spread), 3, n, group, with_factors);
          }
        }
      }
    }
  });
}

TEST(a_row_of_equal_numbers_has_no_step_and_is_its_lowest) {
  for_every_set([](const KernelTable& table) {
    for (const float value : {0.0f, -3.5f, 1e30f}) {
      for (const size_t n : {1u, 8u, 19u, 40u}) {
        const std::vector<float> values(2 * n, value);
        compare_quantize(table, values, 2, n, 8);
        Quantized found(2, round_up(n, kBytesOfSum), 8, n);
        table.quantize(values.data(), n, 2, n, nullptr, found.rows);
        CHECK(found.step.data()[0] == 0.0f && found.lowest.data()[0] == value, table.name, value, n);
      }
    }
  });
}

TEST(quantized_numbers_are_within_half_a_step_and_use_all_of_the_byte) {
  for_every_set([](const KernelTable& table) {
    constexpr size_t kInputs = 100, kSizeOfGroup = 32;
    const std::vector<float> x = test::random_floats(kInputs, 8, 3.0f);
    Quantized found(1, kInputs, kSizeOfGroup, kInputs);
    table.quantize(x.data(), kInputs, 1, kInputs, nullptr, found.rows);
    for (size_t k = 0; k < kInputs; ++k) {
      const float step = found.step.data()[k / kSizeOfGroup];
      const float value = found.lowest.data()[0] + step * found.bytes.data()[k];
      CHECK(std::abs(value - x[k]) <= 0.501f * step, table.name, k, value, x[k]);
    }
    for (size_t g = 0; g < found.groups; ++g) {
      const uint8_t* begin = found.bytes.data() + g * kSizeOfGroup;
      const uint8_t high = *std::max_element(begin, begin + std::min(kSizeOfGroup, kInputs - g * kSizeOfGroup));
      CHECK(high == 255, table.name, g, int{high});
    }
    CHECK(*std::min_element(found.bytes.data(), found.bytes.data() + kInputs) == 0, table.name);
  });
}

int main() {
  test::print_sets();
  return test::run_all();
}
