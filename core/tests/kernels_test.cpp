// Every kernel set that can run here against scalar.cpp, and each row against itself in other company.
#include "kernels/table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dispatch.h"
#include "gtekit.h"
#include "kernel_sets.h"
#include "narrow_floats.h"
#include "test.h"

using namespace gtekit;
using test::for_every_set;
using test::kLongest;

namespace {

bool is_close(float found, float expected, float tolerance) {
  return std::abs(found - expected) <= tolerance * std::max(1.0f, std::abs(expected));
}

void compare_linear(const KernelTable& table, size_t rows, size_t inputs, size_t panels, bool with_bias,
                    bool with_residual, Activation activation) {
  const size_t outputs = panels * kPanel;
  test::Shifted<float> x(test::random_floats(rows * inputs, 1));
  test::Shifted<float> weights(test::random_floats(inputs * outputs, 2));
  test::Shifted<float> bias(test::random_floats(outputs, 3));
  test::Shifted<float> residual(test::random_floats(rows * outputs, 4));
  test::Shifted<float> expected(std::vector<float>(rows * outputs, 7.0f));
  test::Shifted<float> found(std::vector<float>(rows * outputs, 9.0f));
  LinearTask task;
  task.x = x.data();
  task.x_stride = inputs;
  task.rows = rows;
  task.panels = weights.data();
  task.inputs = inputs;
  task.outputs = outputs;
  task.bias = with_bias ? bias.data() : nullptr;
  task.residual = with_residual ? residual.data() : nullptr;
  task.residual_stride = outputs;
  task.out_stride = outputs;
  task.activation = activation;
  task.out = expected.data();
  kScalar.linear(task);
  task.out = found.data();
  table.linear(task);
  // sums of `inputs` products of normal values, in another rounding
  const float tolerance = 1e-6f * (4.0f + static_cast<float>(inputs));
  for (size_t i = 0; i < rows * outputs; ++i) {
    CHECK(is_close(found.data()[i], expected.data()[i], tolerance), table.name, rows, inputs, panels, i,
          found.data()[i], expected.data()[i]);
  }
}

}  // namespace

TEST(linear_is_scalar_linear_for_every_number_of_rows_and_inputs) {
  for_every_set([](const KernelTable& table) {
    for (size_t rows = 0; rows <= 27; ++rows) {
      for (size_t inputs = 0; inputs <= kLongest; inputs += 3) {
        for (size_t panels = 1; panels <= 5; ++panels) {
          compare_linear(table, rows, inputs, panels, true, false, Activation::none);
        }
      }
    }
  });
}

TEST(linear_adds_bias_gelu_and_residual_in_this_order) {
  for_every_set([](const KernelTable& table) {
    for (const bool with_bias : {false, true}) {
      for (const bool with_residual : {false, true}) {
        for (const Activation activation : {Activation::none, Activation::gelu}) {
          compare_linear(table, 13, 40, 3, with_bias, with_residual, activation);
        }
      }
    }
  });
}

TEST(a_row_gives_the_same_bits_wherever_it_stands) {
  constexpr size_t kRows = 29, kInputs = 77, kOutputs = 48;
  const std::vector<float> x = test::random_floats(kRows * kInputs, 5);
  const std::vector<float> weights = test::random_floats(kInputs * kOutputs, 6);
  const std::vector<float> bias = test::random_floats(kOutputs, 7);
  for_every_set([&](const KernelTable& table) {
    std::vector<float> together(kRows * kOutputs), part(kRows * kOutputs);
    LinearTask task;
    task.x_stride = kInputs;
    task.panels = weights.data();
    task.inputs = kInputs;
    task.outputs = kOutputs;
    task.bias = bias.data();
    task.out_stride = kOutputs;
    task.activation = Activation::gelu;
    const auto run = [&](size_t first, size_t rows, float* out) {
      task.x = x.data() + first * kInputs;
      task.rows = rows;
      task.out = out;
      table.linear(task);
    };
    run(0, kRows, together.data());
    for (size_t first = 0; first < kRows; ++first) {
      for (size_t rows = 1; first + rows <= kRows; ++rows) {
        run(first, rows, part.data());
        CHECK(std::memcmp(part.data(), together.data() + first * kOutputs, rows * kOutputs * sizeof(float)) == 0,
              table.name, first, rows);
      }
    }
  });
}

// Widening is exact, so panels of 16 bits and the same numbers in float32 have to agree to the last bit.
TEST(panels_of_16_bits_give_the_bits_of_their_float32_values) {
  constexpr size_t kRows = 27, kInputs = 37, kPanels = 3, kOutputs = kPanels * kPanel;
  const std::vector<float> x = test::random_floats(kRows * kInputs, 8);
  std::mt19937 generator(9);
  for_every_set([&](const KernelTable& table) {
    for (const Dtype dtype : {Dtype::float16, Dtype::bfloat16}) {
      std::vector<uint16_t> narrow(kInputs * kOutputs);
      for (uint16_t& bits : narrow) {
        // every exponent that a weight can have, subnormal halves among them
        bits = static_cast<uint16_t>(dtype == Dtype::float16 ? generator() & 0xbfff : (generator() & 0x807f) | 0x3f00);
      }
      std::vector<float> wide(narrow.size());
      for (size_t i = 0; i < narrow.size(); ++i) {
        wide[i] = dtype == Dtype::float16 ? from_half(narrow[i]) : from_bfloat16(narrow[i]);
      }
      std::vector<float> expected(kRows * kOutputs), found(kRows * kOutputs);
      LinearTask task;
      task.x = x.data();
      task.x_stride = kInputs;
      task.inputs = kInputs;
      task.outputs = kOutputs;
      task.out_stride = kOutputs;
      for (task.rows = 1; task.rows <= kRows; ++task.rows) {
        task.panels = wide.data();
        task.dtype = Dtype::float32;
        task.out = expected.data();
        table.linear(task);
        task.panels = narrow.data();
        task.dtype = dtype;
        task.out = found.data();
        table.linear(task);
        CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0, table.name, task.rows);
      }
    }
  });
}

TEST(linear_writes_nothing_beyond_its_columns) {
  for_every_set([](const KernelTable& table) {
    std::vector<float> x(14 * 8, 1.0f), weights(8 * 16, 1.0f), out(14 * 20, -5.0f);
    LinearTask task;
    task.x = x.data();
    task.x_stride = 8;
    task.rows = 14;
    task.panels = weights.data();
    task.inputs = 8;
    task.outputs = 16;
    task.out = out.data();
    task.out_stride = 20;
    table.linear(task);
    for (size_t i = 0; i < out.size(); ++i) CHECK(out[i] == (i % 20 < 16 ? 8.0f : -5.0f), table.name, i, out[i]);
  });
}

TEST(softmax_is_scalar_softmax_at_every_length_and_odd_addresses) {
  for_every_set([](const KernelTable& table) {
    for (size_t n = 1; n <= kLongest; ++n) {
      for (const float spread : {0.0f, 1.0f, 30.0f, 1e4f, 1e30f}) {
        test::Shifted<float> expected(test::random_floats(n, static_cast<unsigned>(n), spread));
        test::Shifted<float> found = expected;
        kScalar.softmax(expected.data(), n, 0.177f);
        table.softmax(found.data(), n, 0.177f);
        for (size_t i = 0; i < n; ++i) {
          CHECK(is_close(found.data()[i], expected.data()[i], 1e-6f), table.name, n, spread, i, found.data()[i],
                expected.data()[i]);
        }
      }
    }
  });
}

TEST(softmax_of_a_row_sums_to_one) {
  for_every_set([](const KernelTable& table) {
    std::vector<float> x = test::random_floats(512, 11, 5.0f);
    table.softmax(x.data(), x.size(), 0.125f);
    double sum = 0.0;
    for (float value : x) sum += value;
    CHECK(std::abs(sum - 1.0) < 1e-5, table.name, sum);
  });
}

TEST(layer_norm_is_scalar_layer_norm_at_every_size_and_odd_addresses) {
  for_every_set([](const KernelTable& table) {
    for (size_t n = 1; n <= kLongest; ++n) {
      for (const float spread : {1e-6f, 1.0f, 1e6f}) {
        const size_t stride = n + 3;
        test::Shifted<float> expected(test::random_floats(3 * stride, static_cast<unsigned>(n), spread));
        test::Shifted<float> found = expected;
        test::Shifted<float> gamma(test::random_floats(n, 21)), beta(test::random_floats(n, 22));
        kScalar.layer_norm(expected.data(), stride, 3, n, gamma.data(), beta.data(), 1e-12f);
        table.layer_norm(found.data(), stride, 3, n, gamma.data(), beta.data(), 1e-12f);
        for (size_t i = 0; i < 3 * stride; ++i) {
          CHECK(is_close(found.data()[i], expected.data()[i], 2e-5f), table.name, n, spread, i, found.data()[i],
                expected.data()[i]);
        }
      }
    }
  });
}

TEST(layer_norm_heeds_eps) {
  for_every_set([](const KernelTable& table) {
    std::vector<float> x = {1e-6f, -1e-6f, 2e-6f, -2e-6f}, same = x;
    const std::vector<float> gamma(4, 1.0f), beta(4, 0.0f);
    table.layer_norm(x.data(), 4, 1, 4, gamma.data(), beta.data(), 1e-12f);
    table.layer_norm(same.data(), 4, 1, 4, gamma.data(), beta.data(), 1e-5f);
    CHECK(std::abs(x[0]) > 100 * std::abs(same[0]), table.name, x[0], same[0]);
  });
}

// The bound that algorithms.h states, against the C library in double precision.
TEST(gelu_is_the_exact_one_within_its_bound) {
  for_every_set([](const KernelTable& table) {
    std::vector<float> x;
    for (float value = -12.0f; value <= 12.0f; value += 0.00037f) x.push_back(value);
    for (const float value : {0.0f, -0.0f, 1e-30f, -1e-30f, 1e30f, 100.0f, -100.0f}) x.push_back(value);
    std::vector<float> found = x;
    table.gelu(found.data(), found.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = 0.5 * x[i] * (1.0 + std::erf(x[i] / std::sqrt(2.0)));
      CHECK(std::abs(found[i] - exact) <= 2e-7 * std::max(1.0, std::abs(static_cast<double>(x[i]))), table.name, x[i],
            found[i], exact);
    }
  });
}

TEST(gelu_is_scalar_gelu_at_every_length) {
  for_every_set([](const KernelTable& table) {
    for (size_t n = 0; n <= kLongest; ++n) {
      test::Shifted<float> expected(test::random_floats(n + 1, 31, 3.0f));
      test::Shifted<float> found = expected;
      kScalar.gelu(expected.data(), n);
      table.gelu(found.data(), n);
      for (size_t i = 0; i < n; ++i) CHECK(is_close(found.data()[i], expected.data()[i], 1e-6f), table.name, n, i);
      CHECK(found.data()[n] == expected.data()[n], table.name, n);  // the one beyond the end is untouched
    }
  });
}

TEST(an_impossible_name_lists_the_possible_ones) {
  CHECK_THROWS(std::invalid_argument, "scalar", kernels("mmx"));
  CHECK_THROWS(std::invalid_argument, "'mmx'", kernels("mmx"));
}

TEST(scalar_can_run_everywhere_and_comes_last) {
  CHECK(possible_isas().back() == "scalar");
  CHECK(compiled_isas().back() == "scalar");
}

TEST(a_ceiling_counts_its_operations_and_is_measured_for_every_set_that_can_run) {
  for_every_set([](const KernelTable& table) {
    for (const auto ceiling : {table.float_ceiling, table.byte_ceiling}) {
      const double few = ceiling(3), more = ceiling(30);
      CHECK(few > 0.0 && more == 10.0 * few, table.name, few, more);
    }
  });
  for (const std::string& isa : possible_isas()) {
    for (const Precision precision : {Precision::float32, Precision::int8}) {
      for (const size_t threads : {1u, 2u}) CHECK(measure_ceiling(isa, precision, threads, 1e-3) > 1e6, isa, threads);
    }
  }
  CHECK_THROWS(std::invalid_argument, "'mmx'", measure_ceiling("mmx", Precision::int8, 1, 1e-3));
  CHECK_THROWS(std::invalid_argument, "not 0 and", measure_ceiling("scalar", Precision::int8, 0, 1e-3));
  CHECK_THROWS(std::invalid_argument, "more than 0 seconds", measure_ceiling("scalar", Precision::int8, 1, 0.0));
}

int main() {
  test::print_sets();
  return test::run_all();
}
