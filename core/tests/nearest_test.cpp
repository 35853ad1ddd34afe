// Exact search: packing and choosing of every kernel set against scalar.cpp, the whole search against plain loops.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "gtekit.h"
#include "kernel_sets.h"
#include "kernels/table.h"
#include "share.h"
#include "test.h"

using namespace gtekit;
using test::for_every_set;
using test::kLongest;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

bool is_same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

bool is_same_or_nan(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

template <typename Number>
void compare_packing(const KernelTable& table, const std::vector<Number>& numbers, Dtype dtype, size_t n) {
  const test::Shifted<Number> rows(numbers);
  const void* addresses[kPanel];
  for (size_t r = 0; r < kPanel; ++r) addresses[r] = rows.data() + (r * 7 % kPanel) * n;
  std::vector<float> expected(n * kPanel, 7.0f), found(n * kPanel, 9.0f);
  kScalar.pack_rows(addresses, dtype, n, 0, expected.data());
  table.pack_rows(addresses, dtype, n, 0, found.data());
  CHECK(is_same(found, expected), table.name, n, static_cast<int>(dtype));

  const test::Shifted<float> query(test::random_floats(n, 6));
  LinearTask task;
  std::vector<float> products(kPanel, 7.0f), in_linear(kPanel, 9.0f);
  task.x = query.data();
  task.rows = 1;
  task.panels = expected.data();
  task.inputs = n;
  task.outputs = kPanel;
  task.out = in_linear.data();
  table.linear(task);
  table.multiply_rows(addresses, dtype, n, 0, query.data(), products.data());
  CHECK(is_same_or_nan(products, in_linear), table.name, n, static_cast<int>(dtype));
}

struct Answer {
  std::vector<float> scores;
  std::vector<int64_t> numbers;
};

Rows rows_of(const std::vector<float>& values, size_t dimension) {
  return {values.data(), Dtype::float32, values.size() / dimension, dimension};
}

Answer search(const Rows& queries, const Rows& vectors, const uint8_t* allowed, size_t top_k, const Search& how) {
  Answer answer{std::vector<float>(queries.count * top_k), std::vector<int64_t>(queries.count * top_k)};
  find_nearest(queries, vectors, allowed, top_k, {answer.scores.data(), answer.numbers.data()}, how);
  return answer;
}

// All products of one query in the order of the rows, as the search itself gives them.
std::vector<float> products_of(const Rows& query, const Rows& vectors, const Search& how) {
  const Answer all = search(query, vectors, nullptr, vectors.count, how);
  std::vector<float> products(vectors.count);
  for (size_t i = 0; i < vectors.count; ++i) products[static_cast<size_t>(all.numbers[i])] = all.scores[i];
  return products;
}

}  // namespace

TEST(packed_rows_are_those_of_scalar_and_products_those_of_linear_at_every_length) {
  for_every_set([](const KernelTable& table) {
    for (size_t n = 0; n <= kLongest; ++n) {
      compare_packing(table, test::random_floats(n * kPanel, 1), Dtype::float32, n);
      // 31744 and beyond are infinity and NaN
      compare_packing(table, test::random_ints<uint16_t>(n * kPanel, 2, 0, 0x7c00), Dtype::float16, n);
      compare_packing(table, test::random_ints<uint16_t>(n * kPanel, 3, 0, 0x7f00), Dtype::bfloat16, n);
    }
  });
}

TEST(places_at_least_as_high_are_those_of_scalar_and_never_those_of_nan) {
  for_every_set([](const KernelTable& table) {
    for (size_t n = 0; n <= 9 * kLongest; n += n < 2 * kLongest ? 1 : 13) {
      std::vector<float> values = test::random_floats(n, 5);
      for (size_t i = 0; i < n; i += 3) values[i] = i % 2 ? kNan : 0.5f;
      const test::Shifted<float> x(values);
      for (const float least : {-kInfinity, -0.3f, 0.5f, 9.0f, kInfinity, kNan}) {
        std::vector<uint32_t> expected(n + 1, 7), found(n + 1, 9);
        expected.resize(kScalar.at_least(x.data(), n, least, expected.data()));
        found.resize(table.at_least(x.data(), n, least, found.data()));
        CHECK(found == expected, table.name, n, least);
      }
    }
  });
}

TEST(a_search_finds_what_plain_loops_find_with_every_kernel_set) {
  for (const std::string& isa : possible_isas()) {
    for (const size_t dimension : {1, 15, 16, 33}) {
      const std::vector<float> queries = test::random_floats(30 * dimension, 1);
      const std::vector<float> vectors = test::random_floats(611 * dimension, 2);
      const Rows asked = rows_of(queries, dimension), rows = rows_of(vectors, dimension);
      const Answer answer = search(asked, rows, nullptr, 9, {isa, 2, {}});
      for (size_t query = 0; query < asked.count; ++query) {
        std::vector<double> products(rows.count);
        for (size_t row = 0; row < rows.count; ++row) {
          products[row] = std::inner_product(queries.begin() + static_cast<long>(query * dimension),
                                             queries.begin() + static_cast<long>((query + 1) * dimension),
                                             vectors.begin() + static_cast<long>(row * dimension), 0.0);
        }
        std::vector<double> best = products;
        std::sort(best.rbegin(), best.rend());
        for (size_t i = 0; i < 9; ++i) {
          const size_t place = query * 9 + i;
          CHECK(std::abs(answer.scores[place] - best[i]) < 1e-4, isa, dimension, query, i);
          CHECK(std::abs(products[static_cast<size_t>(answer.numbers[place])] - best[i]) < 1e-4, isa, dimension, i);
        }
      }
    }
  }
}

TEST(a_product_has_the_same_bits_in_any_company) {
  const size_t dimension = 37;
  const std::vector<float> queries = test::random_floats(40 * dimension, 1);
  const std::vector<float> vectors = test::random_floats(1000 * dimension, 2);
  const Rows rows = rows_of(vectors, dimension);
  std::vector<uint8_t> allowed(rows.count);
  for (size_t row = 0; row < rows.count; ++row) allowed[row] = row % 7 < 3;
  for (const std::string& isa : possible_isas()) {
    const Answer together = search(rows_of(queries, dimension), rows, allowed.data(), 20, {isa, 3, {}});
    for (const size_t query : {0, 17, 39}) {
      const Rows alone{queries.data() + query * dimension, Dtype::float32, 1, dimension};
      const std::vector<float> products = products_of(alone, rows, {isa, 1, {}});
      for (size_t i = 0; i < 20; ++i) {
        const auto number = static_cast<size_t>(together.numbers[query * 20 + i]);
        CHECK(allowed[number], isa, query, number);
        CHECK(products[number] == together.scores[query * 20 + i], isa, query, number);
      }
    }
  }
}

TEST(all_kernel_sets_but_scalar_give_the_same_bits) {
  const std::vector<float> vectors = test::random_floats(200 * 50, 2);
  std::vector<std::vector<float>> found;
  for (const std::string& isa : possible_isas()) {
    if (isa != "scalar") found.push_back(search(rows_of(vectors, 50), rows_of(vectors, 50), nullptr, 9, {isa}).scores);
  }
  for (const std::vector<float>& scores : found) CHECK(is_same(scores, found.front()));
}

TEST(pairs_are_those_of_all_products) {
  const size_t dimension = 21;
  const std::vector<float> vectors = test::random_floats(700 * dimension, 3, 0.2f);
  const Rows rows = rows_of(vectors, dimension);
  for (const std::string& isa : possible_isas()) {
    std::vector<Pair> expected;
    for (size_t right = 0; right < rows.count; ++right) {
      const Rows query{vectors.data() + right * dimension, Dtype::float32, 1, dimension};
      const std::vector<float> products = products_of(query, rows, {isa, 1, {}});
      for (size_t left = 0; left < right; ++left) {
        if (products[left] >= 0.6f) expected.push_back({left, right, products[left]});
      }
    }
    std::vector<Pair> found;
    for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, 300}, {300, 301}, {301, 301}, {301, 700}}) {
      const auto some = find_pairs(rows, begin, end, 0.6f, SIZE_MAX, {isa, 2, {}});
      CHECK(some.has_value());
      found.insert(found.end(), some->begin(), some->end());
    }
    CHECK(!expected.empty());
    CHECK(found.size() == expected.size(), isa, found.size(), expected.size());
    for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
      CHECK(found[i].left == expected[i].left && found[i].right == expected[i].right, isa, i);
      CHECK(found[i].score == expected[i].score, isa, i, found[i].score, expected[i].score);
    }
  }
}

TEST(more_pairs_than_asked_for_are_none) {
  const std::vector<float> vectors(50 * 3, 1.0f);
  CHECK(!find_pairs(rows_of(vectors, 3), 0, 50, 1.0f, 50 * 49 / 2 - 1, {"scalar"}).has_value());
  CHECK(find_pairs(rows_of(vectors, 3), 0, 50, 1.0f, 50 * 49 / 2, {"scalar"}).has_value());
}

TEST(what_does_not_fit_is_refused) {
  const std::vector<float> vectors(12, 1.0f);
  const Rows three = rows_of(vectors, 3), four = rows_of(vectors, 4);
  const uint8_t allowed[] = {1, 0, 0, 1};
  CHECK_THROWS(std::invalid_argument, "queries have 4 dimensions, vectors 3",
               search(four, three, nullptr, 1, {"scalar"}));
  CHECK_THROWS(std::invalid_argument, "top_k is 5, and 4", search(three, three, nullptr, 5, {"scalar"}));
  CHECK_THROWS(std::invalid_argument, "top_k is 3, and 2", search(three, three, allowed, 3, {"scalar"}));
  CHECK_THROWS(std::invalid_argument, "can't run here", search(three, three, nullptr, 1, {"mmx"}));
  CHECK_THROWS(std::invalid_argument, "threads is 0", search(three, three, nullptr, 1, {"scalar", 0, {}}));
  CHECK_THROWS(std::invalid_argument, "rows 2 to 5", find_pairs(three, 2, 5, 1.0f, 9, {"scalar"}));
}

TEST(every_item_is_done_once_and_what_is_thrown_reaches_the_caller) {
  for (const size_t threads : {1, 2, 7}) {
    std::vector<std::atomic<int>> done(100);
    share_out(threads, done.size(), {}, [&](size_t thread, size_t item) {
      CHECK(thread < threads);
      ++done[item];
    });
    CHECK(std::all_of(done.begin(), done.end(), [](const auto& times) { return times == 1; }), threads);
    CHECK_THROWS(std::runtime_error, "item 40", share_out(threads, 100, {}, [](size_t, size_t item) {
                   if (item == 40) throw std::runtime_error("item 40");
                 }));
  }
}

TEST(a_poll_is_due_after_many_short_rounds_of_work) {
  using namespace std::chrono;
  int polls = 0;
  const steady_clock::time_point begin = steady_clock::now();
  const std::function<void()> poll = spaced([&] { ++polls; });
  while (steady_clock::now() - begin < milliseconds(250)) {
    share_out(1, 1, poll, [](size_t, size_t) { std::this_thread::sleep_for(milliseconds(1)); });
  }
  CHECK(polls > 0 && polls * milliseconds(100) <= steady_clock::now() - begin, polls);
  CHECK(!spaced({}));
}

TEST(a_poll_that_throws_ends_a_search) {
  // of many batches, each done sooner than a poll is due
  const std::vector<float> vectors = test::random_floats(20'000 * 64, 4);
  const Rows rows = rows_of(vectors, 64);
  const Search how{"scalar", 2, [] { throw std::runtime_error("stop"); }};
  CHECK_THROWS(std::runtime_error, "stop", search(rows, rows, nullptr, 3, how));
}

TEST(words_are_summed_by_any_number_of_threads) {
  std::vector<uint64_t> words(300'000);
  std::iota(words.begin(), words.end(), uint64_t{1} << 40);
  const uint64_t sum = std::accumulate(words.begin(), words.end(), uint64_t{0});
  for (const size_t threads : {1, 3}) CHECK(sum_words(words.data(), words.size() * sizeof(uint64_t), threads) == sum);
}

int main() {
  test::print_sets();
  return test::run_all();
}
