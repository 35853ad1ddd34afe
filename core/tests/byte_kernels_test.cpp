// The 8-bit kernels of every set that can run here, against scalar.cpp and against exact sums.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "gtekit.h"
#include "kernel_sets.h"
#include "kernels/table.h"
#include "test.h"

using namespace gtekit;
using test::for_every_set;
using test::Shifted;

namespace {

constexpr size_t kMostLanes = 16;
constexpr size_t kLongest = 2 * kMostLanes + 1;

template <typename T>
std::vector<T> random_ints(size_t count, unsigned seed, int lowest, int highest) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> uniform(lowest, highest);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(uniform(generator));
  return values;
}

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

// Thresholds as the model gives them: evenly spread over [-0.5, 0.5].
static float threshold(size_t i) {
  return static_cast<float>(std::fmod(static_cast<double>(i) * 0.6180339887498949, 1.0)) - 0.5f;
}

TEST(softmax_in_bytes_is_scalar_softmax_at_every_length_and_odd_addresses) {
  for_every_set([](const KernelTable& table) {
    constexpr float kScale = 1e-3f;
    for (size_t n = 1; n <= 3 * kLongest; ++n) {
      for (const int spread : {0, 1'000, 30'000, 500'000'000}) {
        const Shifted<int32_t> x(random_ints<int32_t>(n, static_cast<unsigned>(n), -spread, spread));
        Shifted<float> dither(std::vector<float>(n, 0.0f));
        for (size_t i = 0; i < n; ++i) dither.data()[i] = threshold(i);
        const size_t padded = round_up(n, kBytesOfSum);
        Shifted<uint8_t> expected(std::vector<uint8_t>(padded + 1, 77)), found = expected;
        kScalar.byte_softmax(x.data(), n, kScale, dither.data(), expected.data());
        int32_t sum = table.byte_softmax(x.data(), n, kScale, dither.data(), found.data());
        const int32_t peak = *std::max_element(x.data(), x.data() + n);
        for (size_t i = 0; i < n; ++i) {
          const double exact =
              255.0 * std::exp((static_cast<double>(x.data()[i]) - peak) * static_cast<double>(kScale));
          const double raised = exact + static_cast<double>(dither.data()[i]);
          // the polynomial is off by 0.02 of 255: what is that close to an edge may fall to either side
          const double from_edge = std::abs(raised - std::floor(raised) - 0.5);
          const int difference = std::abs(found.data()[i] - expected.data()[i]);
          CHECK(difference == 0 || (difference == 1 && from_edge < 0.05), table.name, n, spread, i, difference, raised);
          sum -= found.data()[i];
        }
        CHECK(sum == 0, table.name, n, spread, sum);
        for (size_t i = n; i < padded; ++i) CHECK(found.data()[i] == 0, table.name, n, i);
        CHECK(found.data()[padded] == 77, table.name, n);  // the one beyond the end is untouched
      }
    }
  });
}

// 511 tokens with 0.3 of a byte each: rounding to the nearest would lose them all.
TEST(softmax_in_bytes_keeps_the_sum_of_many_small_weights) {
  for_every_set([](const KernelTable& table) {
    constexpr size_t kTokens = 512;
    constexpr float kScale = 1e-4f;
    std::vector<int32_t> x(kTokens, static_cast<int32_t>(std::log(0.3 / 255.0) / static_cast<double>(kScale)));
    std::vector<float> dither(kTokens);
    x[0] = 0;
    for (size_t i = 0; i < kTokens; ++i) dither[i] = threshold(i);
    std::vector<uint8_t> bytes(kTokens);
    const int32_t sum = table.byte_softmax(x.data(), kTokens, kScale, dither.data(), bytes.data());
    CHECK(std::abs(sum - 255 - 0.3 * (kTokens - 1)) < 4.0, table.name, sum);
  });
}

namespace {

// Bytes of one head of one text and room for what belongs to them, filled with what must not stay.
struct PackedHead {
  PackedHead(size_t length, size_t head_size, bool is_of_keys, int fill) {
    panels.resize(is_of_keys ? head_size : length, is_of_keys ? length : head_size);
    bytes.storage.assign(panels.bytes() + 1, static_cast<int8_t>(fill));
    scale.storage.assign(panels.outputs + 1, 0.0f);
    sums.storage.assign(panels.outputs + 1, fill);
    panels.panels = bytes.data();
    panels.scale = is_of_keys ? nullptr : scale.data();
    panels.sums = sums.data();
  }
  BytePanels panels;
  Shifted<int8_t> bytes{{}};
  Shifted<float> scale{{}};
  Shifted<int32_t> sums{{}};
};

constexpr size_t kLengths[] = {1, 2, 3, 4, 5, 15, 16, 17, 33, 70};
constexpr size_t kHeadSizes[] = {1, 3, 4, 8, 12, 16, 17, 20, 32, 33, 64, 68, 128};

}  // namespace

TEST(queries_keys_and_values_become_the_bytes_of_scalar) {
  for_every_set([](const KernelTable& table) {
    for (const size_t length : kLengths) {
      for (const size_t head_size : kHeadSizes) {
        const size_t stride = 2 * head_size + 3;
        const Shifted<float> x(test::random_floats((length - 1) * stride + head_size, static_cast<unsigned>(length)));
        for (const bool is_of_keys : {true, false}) {
          PackedHead expected(length, head_size, is_of_keys, 77), found(length, head_size, is_of_keys, 66);
          if (is_of_keys) {
            const float right = kScalar.pack_keys(x.data(), stride, length, head_size, expected.panels);
            const float scale = table.pack_keys(x.data(), stride, length, head_size, found.panels);
            CHECK(scale == right, table.name, length, head_size, scale, right);
          } else {
            kScalar.pack_values(x.data(), stride, length, head_size, expected.panels);
            table.pack_values(x.data(), stride, length, head_size, found.panels);
          }
          CHECK(std::equal(found.bytes.data(), found.bytes.data() + found.panels.bytes(), expected.bytes.data()),
                table.name, length, head_size, is_of_keys);
          CHECK(found.scale.storage == expected.scale.storage, table.name, length, head_size, is_of_keys);
          CHECK(std::equal(found.sums.data(), found.sums.data() + found.panels.outputs, expected.sums.data()),
                table.name, length, head_size, is_of_keys);
        }
        const size_t width = round_up(head_size, kBytesOfSum);
        Shifted<uint8_t> expected(std::vector<uint8_t>(length * width + 1, 77)), found = expected;
        const float right = kScalar.pack_queries(x.data(), stride, length, head_size, {expected.data(), width});
        const float scale = table.pack_queries(x.data(), stride, length, head_size, {found.data(), width});
        CHECK(scale == right, table.name, length, head_size, scale, right);
        CHECK(found.storage == expected.storage, table.name, length, head_size);
      }
    }
  });
}

TEST(a_head_of_zeros_has_no_scale_and_its_bytes_are_the_middle) {
  for_every_set([](const KernelTable& table) {
    const std::vector<float> zeros(5 * 8, 0.0f);
    std::vector<uint8_t> bytes(5 * 8);
    PackedHead keys(5, 8, true, 3);
    CHECK(table.pack_queries(zeros.data(), 8, 5, 8, {bytes.data(), 8}) == 0.0f, table.name);
    CHECK(table.pack_keys(zeros.data(), 8, 5, 8, keys.panels) == 0.0f, table.name);
    for (const uint8_t byte : bytes) CHECK(byte == ByteQueries::kMiddle, table.name, int{byte});
  });
}

TEST(byte_scores_are_exact_for_every_number_of_queries_and_keys) {
  for_every_set([](const KernelTable& table) {
    for (size_t length = 1; length <= kLongest + 20; length += 3) {
      for (const size_t head_size : {4u, 20u, 64u}) {
        PackedHead keys(length, head_size, true, 0);
        keys.bytes = Shifted<int8_t>(random_ints<int8_t>(keys.panels.bytes(), 1, -127, 127));
        keys.panels.panels = keys.bytes.data();
        const Shifted<uint8_t> queries(random_ints<uint8_t>(length * head_size, 2, 1, 255));
        const auto weight = [&](size_t n, size_t k) {
          return int{keys.panels.panels[n / kPanel * kPanel * head_size + k / kBytesOfSum * kBytesOfSum * kPanel +
                                        n % kPanel * kBytesOfSum + k % kBytesOfSum]};
        };
        const size_t outputs = keys.panels.outputs;
        for (size_t n = 0; n < outputs; ++n) {
          for (size_t k = 0; k < head_size; ++k) keys.sums.data()[n] += weight(n, k);
        }
        Shifted<int32_t> scores(std::vector<int32_t>(length * outputs, 5));
        const ByteQueries rows = {const_cast<uint8_t*>(queries.data()), head_size};
        table.byte_scores(rows, length, keys.panels, scores.data(), outputs);
        for (size_t r = 0; r < length; ++r) {
          for (size_t n = 0; n < outputs; ++n) {
            int32_t exact = 0;
            for (size_t k = 0; k < head_size; ++k) {
              exact += (queries.data()[r * head_size + k] - ByteQueries::kMiddle) * weight(n, k);
            }
            const int32_t found = scores.data()[r * outputs + n];
            CHECK(found == exact, table.name, length, head_size, r, n, found, exact);
          }
        }
      }
    }
  });
}

TEST(scores_of_packed_queries_and_keys_are_the_dot_products) {
  for_every_set([](const KernelTable& table) {
    constexpr size_t kLength = 21, kHead = 20;
    const std::vector<float> keys = test::random_floats(kLength * kHead, 1);
    const std::vector<float> query = test::random_floats(kHead, 2);
    PackedHead packed(kLength, kHead, true, 9);
    std::vector<uint8_t> bytes(kHead);
    std::vector<int32_t> scores(packed.panels.outputs);
    const float scale = table.pack_queries(query.data(), kHead, 1, kHead, {bytes.data(), kHead}) *
                        table.pack_keys(keys.data(), kHead, kLength, kHead, packed.panels);
    table.byte_scores({bytes.data(), kHead}, 1, packed.panels, scores.data(), scores.size());
    for (size_t key = 0; key < kLength; ++key) {
      double exact = 0.0;
      for (size_t e = 0; e < kHead; ++e) exact += static_cast<double>(query[e]) * keys[key * kHead + e];
      const float found = scale * static_cast<float>(scores[key]);
      CHECK(std::abs(found - exact) < 0.1, table.name, key, found, exact);  // 20 products, two steps of 0.01
    }
  });
}

int main() {
  test::print_sets();
  return test::run_all();
}
