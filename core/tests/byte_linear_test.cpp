// Products of bytes of every set that can run here, against exact sums.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "gtekit.h"
#include "kernel_sets.h"
#include "kernels/table.h"
#include "test.h"

using namespace gtekit;
using test::for_every_set;
using test::kLongest;
using test::random_ints;
using test::Shifted;

namespace {

// What byte_algorithms.h states of its GELU; beyond it a float has no more digits.
double gelu_bound(double x) { return 1.7e-3 + 1e-7 * std::abs(x); }

// A product of bytes at odd addresses, and what it has to be.
struct Product {
  Product(size_t num_rows, size_t num_inputs, size_t panels, size_t group_size)
      : rows(num_rows),
        inputs(num_inputs),
        outputs(panels * kPanel),
        group(group_size),
        groups((num_inputs + group_size - 1) / group_size),
        bytes(random_ints<uint8_t>(rows * inputs, 1, 0, 255)),
        weights(random_ints<int8_t>(outputs * inputs, 2, -127, 127)),
        step(test::random_floats(rows * groups, 3, 0.01f)),
        lowest(test::random_floats(rows, 4)),
        scale(test::random_floats(groups * outputs, 5, 0.01f)),
        bias(test::random_floats(outputs, 6)),
        residual(test::random_floats(rows * outputs, 7)),
        totals(std::vector<float>(outputs)),
        sums(std::vector<int32_t>(groups * outputs)) {
    sum_weights();
  }

  void sum_weights() {
    for (size_t n = 0; n < outputs; ++n) {
      for (size_t g = 0; g < groups; ++g) sums.data()[g * outputs + n] = 0;
      for (size_t k = 0; k < inputs; ++k) sums.data()[k / group * outputs + n] += weight(n, k);
      totals.data()[n] = 0.0f;
      for (size_t g = 0; g < groups; ++g) {
        totals.data()[n] += static_cast<float>(sums.data()[g * outputs + n]) * scale.data()[g * outputs + n];
      }
    }
  }

  int8_t weight(size_t n, size_t k) const {
    const size_t of_panel = (k / kBytesOfSum * kPanel + n % kPanel) * kBytesOfSum + k % kBytesOfSum;
    return weights.data()[n / kPanel * kPanel * inputs + of_panel];
  }

  ByteLinearTask task(float* out) {
    ByteLinearTask task;
    task.x = {bytes.data(), inputs, step.data(), with_lowest ? lowest.data() : nullptr, group, groups};
    task.rows = rows;
    task.panels = weights.data();
    task.scale = scale.data();
    task.weight_sums = sums.data();
    task.totals = with_lowest ? totals.data() : nullptr;
    task.scale_stride = outputs;
    task.inputs = inputs;
    task.outputs = outputs;
    task.bias = with_bias ? bias.data() : nullptr;
    task.residual = with_residual ? residual.data() : nullptr;
    task.residual_stride = outputs;
    task.activation = activation;
    task.out = out;
    task.out_stride = outputs;
    return task;
  }

  // In double precision, and the sizes of all terms together, of which rounding takes a share.
  struct Expected {
    double value, size, before_activation;
  };
  Expected expected(size_t row, size_t n) const {
    double value = with_bias ? bias.data()[n] : 0.0;
    double size = std::abs(value);
    for (size_t g = 0; g < groups; ++g) {
      int64_t sum = 0;
      for (size_t k = g * group; k < std::min(inputs, (g + 1) * group); ++k) {
        sum += int64_t{bytes.data()[row * inputs + k]} * weight(n, k);
      }
      const double factor = scale.data()[g * outputs + n];
      const double terms[] = {step.data()[row * groups + g] * factor * static_cast<double>(sum),
                              with_lowest ? lowest.data()[row] * factor * sums.data()[g * outputs + n] : 0.0};
      value += terms[0] + terms[1];
      size += std::abs(terms[0]) + std::abs(terms[1]);
    }
    const double before = value;
    if (activation == Activation::gelu) value = 0.5 * value * (1.0 + std::erf(value / std::sqrt(2.0)));
    if (with_residual) {
      value += residual.data()[row * outputs + n];
      size += std::abs(residual.data()[row * outputs + n]);
    }
    return {value, size, before};
  }

  void check(const KernelTable& table) {
    Shifted<float> found(std::vector<float>(rows * outputs, 9.0f));
    table.byte_linear(task(found.data()));
    for (size_t row = 0; row < rows; ++row) {
      for (size_t n = 0; n < outputs; ++n) {
        const auto [value, size, before] = expected(row, n);
        // the sums are exact: the rest rounds three times a group, 6e-8 each
        double tolerance = 2e-7 * static_cast<double>(groups + 1) * size;
        if (activation == Activation::gelu) tolerance += gelu_bound(before);
        const float result = found.data()[row * outputs + n];
        CHECK(std::abs(result - value) <= tolerance, table.name, rows, inputs, outputs, group, row, n, result, value);
      }
    }
  }

  size_t rows, inputs, outputs, group, groups;
  bool with_bias = true, with_residual = false, with_lowest = true;
  Activation activation = Activation::none;
  Shifted<uint8_t> bytes;
  Shifted<int8_t> weights;
  Shifted<float> step, lowest, scale, bias, residual, totals;
  Shifted<int32_t> sums;
};

}  // namespace

TEST(byte_linear_is_exact_for_every_number_of_rows_inputs_and_groups) {
  for_every_set([](const KernelTable& table) {
    for (size_t rows = 0; rows <= kLongest; ++rows) {
      for (size_t inputs = kBytesOfSum; inputs <= kLongest + 3; inputs += 2 * kBytesOfSum) {  // odd multiples of 4
        for (const size_t group : {12u, 128u}) Product(rows, inputs, rows % 4 + 1, group).check(table);
      }
    }
    for (size_t panels = 1; panels <= 7; ++panels) {
      for (const size_t group : {16u, 40u}) {
        for (const bool with_lowest : {true, false}) {  // without: the weights of attention
          Product product(9, 40, panels, group);
          product.with_lowest = with_lowest;
          product.check(table);
        }
      }
    }
  });
}

TEST(byte_linear_adds_bias_gelu_and_residual_in_this_order) {
  for_every_set([](const KernelTable& table) {
    for (const bool with_bias : {false, true}) {
      for (const bool with_residual : {false, true}) {
        for (const Activation activation : {Activation::none, Activation::gelu}) {
          Product product(13, 44, 4, 16);
          product.with_bias = with_bias;
          product.with_residual = with_residual;
          product.activation = activation;
          product.check(table);
        }
      }
    }
  });
}

// An instruction that adds pairs in 16 bits would give 32,767 for 2 * 255 * 127.
TEST(the_largest_bytes_do_not_saturate_and_sums_are_exact) {
  for_every_set([](const KernelTable& table) {
    for (const size_t inputs : {4u, 512u, 16384u}) {
      Product product(3, inputs, 1, inputs);
      product.with_bias = false;
      std::fill(product.bytes.storage.begin(), product.bytes.storage.end(), uint8_t{255});
      std::fill(product.step.storage.begin(), product.step.storage.end(), 1.0f);
      std::fill(product.scale.storage.begin(), product.scale.storage.end(), 1.0f);
      std::fill(product.lowest.storage.begin(), product.lowest.storage.end(), 0.0f);
      for (const int8_t weight : {127, -127}) {
        std::fill(product.weights.storage.begin(), product.weights.storage.end(), weight);
        product.sum_weights();
        std::vector<float> out(product.rows * product.outputs);
        table.byte_linear(product.task(out.data()));
        const auto right = static_cast<float>(255 * weight * static_cast<int>(inputs));
        for (const float found : out) CHECK(found == right, table.name, inputs, int{weight}, found, right);
      }
    }
  });
}

TEST(a_row_of_bytes_gives_the_same_bits_wherever_it_stands) {
  constexpr size_t kRows = 19, kInputs = 20;
  for_every_set([](const KernelTable& table) {
    for (const size_t group : {8u, 20u}) {
      Product product(kRows, kInputs, 4, group);
      product.activation = Activation::gelu;
      std::vector<float> together(kRows * product.outputs), part(kRows * product.outputs);
      table.byte_linear(product.task(together.data()));
      for (size_t first = 0; first < kRows; ++first) {
        for (size_t rows = 1; first + rows <= kRows; ++rows) {
          ByteLinearTask task = product.task(part.data());
          task.rows = rows;
          task.x.bytes += first * kInputs;
          task.x.step += first * product.groups;
          task.x.lowest += first;
          table.byte_linear(task);
          const float* right = &together[first * product.outputs];
          CHECK(std::memcmp(part.data(), right, rows * product.outputs * sizeof(float)) == 0, table.name, group, first,
                rows);
        }
      }
    }
  });
}

TEST(byte_linear_writes_nothing_beyond_its_columns) {
  for_every_set([](const KernelTable& table) {
    constexpr size_t kRows = 14, kStride = kPanel + 4;
    Product product(kRows, 8, 1, 8);
    std::vector<float> out(kRows * kStride, -5.0f);
    ByteLinearTask task = product.task(out.data());
    task.out_stride = kStride;
    table.byte_linear(task);
    for (size_t i = 0; i < out.size(); ++i) CHECK((out[i] == -5.0f) == (i % kStride >= kPanel), table.name, i, out[i]);
  });
}

// Alone: with inputs of 0 the bias is what GELU gets.
TEST(gelu_of_bytes_is_the_exact_one_within_its_bound) {
  for_every_set([](const KernelTable& table) {
    constexpr size_t kPanels = 2'000;
    Product product(1, 4, kPanels, 4);
    std::fill(product.step.storage.begin(), product.step.storage.end(), 0.0f);
    std::fill(product.lowest.storage.begin(), product.lowest.storage.end(), 0.0f);
    product.activation = Activation::gelu;
    for (size_t n = 0; n < product.outputs; ++n) {
      product.bias.data()[n] = 24.0f * (static_cast<float>(n) / static_cast<float>(product.outputs)) - 12.0f;
    }
    std::vector<float> found(product.outputs);
    table.byte_linear(product.task(found.data()));
    double largest = 0.0;
    for (size_t n = 0; n < product.outputs; ++n) {
      const double error = std::abs(found[n] - product.expected(0, n).value);
      largest = std::max(largest, error / gelu_bound(product.bias.data()[n]));
    }
    CHECK(largest <= 1.0, table.name, largest);
  });
}

int main() {
  test::print_sets();
  return test::run_all();
}
