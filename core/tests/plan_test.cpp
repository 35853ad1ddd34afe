#include "plan.h"

#include <algorithm>
#include <numeric>

#include "test.h"

using namespace gtekit;

namespace {

std::vector<int64_t> cumulative(const std::vector<int64_t>& lengths) {
  std::vector<int64_t> ends = {0};
  for (int64_t length : lengths) ends.push_back(ends.back() + length);
  return ends;
}

}  // namespace

TEST(every_text_is_in_exactly_one_batch) {
  std::mt19937 generator(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> lengths(1 + generator() % 90);
    for (int64_t& length : lengths) length = 1 + generator() % 512;
    const Plan plan =
        plan_batches(cumulative(lengths).data(), lengths.size(), 1 + generator() % 600, 1 + generator() % 5);
    std::vector<size_t> order = plan.order, all(lengths.size());
    std::sort(order.begin(), order.end());
    std::iota(all.begin(), all.end(), size_t{0});
    CHECK(order == all);
    CHECK(plan.starts.front() == 0 && plan.starts.back() == lengths.size());
    CHECK(std::is_sorted(plan.starts.begin(), plan.starts.end()));
  }
}

TEST(no_batch_is_over_the_budget_unless_it_is_one_long_text) {
  const std::vector<int64_t> lengths = {512, 3, 200, 100, 100, 60, 1, 1, 300};
  const Plan plan = plan_batches(cumulative(lengths).data(), lengths.size(), 256, 1);
  for (size_t batch = 0; batch < plan.num_batches(); ++batch) {
    int64_t tokens = 0;
    for (size_t i = plan.starts[batch]; i < plan.starts[batch + 1]; ++i) tokens += lengths[plan.order[i]];
    CHECK(tokens <= 256 || plan.starts[batch + 1] - plan.starts[batch] == 1, batch, tokens);
  }
}

TEST(long_texts_come_first_and_equal_ones_keep_their_order) {
  const std::vector<int64_t> lengths = {5, 9, 5, 12, 9};
  CHECK((plan_batches(cumulative(lengths).data(), 5, 100, 1).order == std::vector<size_t>{3, 1, 4, 0, 2}));
}

TEST(little_work_is_shared_out_evenly) {
  const std::vector<int64_t> lengths(40, 10);
  CHECK(plan_batches(cumulative(lengths).data(), 40, 1000, 4).num_batches() == 4);
}

TEST(a_short_text_is_one_batch_whatever_the_threads) {
  const std::vector<int64_t> lengths = {12};
  CHECK(plan_batches(cumulative(lengths).data(), 1, 256, 16).num_batches() == 1);
}

int main() { return test::run_all(); }
