// The steps of attention in bytes, of every set that can run here, against scalar.cpp and exact sums.
#include <algorithm>
#include <cmath>

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

// Thresholds as the model gives them: evenly spread over [-0.5, 0.5].
float threshold(size_t i) {
  return static_cast<float>(std::fmod(static_cast<double>(i) * 0.6180339887498949, 1.0)) - 0.5f;
}

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
