// All pairs of rows whose product reaches a threshold: the upper triangle of all products, a block at a time.
#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.h"
#include "gtekit.h"
#include "products.h"
#include "share.h"

namespace gtekit {
namespace {

constexpr size_t kLeftRows = 8 * kBlockRows;  // that a thread takes at a time: a few milliseconds

// Some right rows with some left ones.
struct Item {
  size_t right, right_end, left, left_end;
};

std::vector<Item> items_of(size_t begin, size_t end, size_t step) {
  std::vector<Item> items;
  for (size_t right = begin; right < end; right += step) {
    const size_t right_end = std::min(right + step, end);
    for (size_t left = 0; left < right_end; left += kLeftRows) {
      items.push_back({right, right_end, left, std::min(left + kLeftRows, right_end)});
    }
  }
  return items;
}

// What one thread has found so far.
struct Member {
  Member(const KernelTable& table, size_t dimension, size_t rights) : products(table, dimension, rights) {}
  Products products;
  size_t right = SIZE_MAX;  // the first row that `products` has as its queries
  std::vector<Pair> pairs;
};

void take(Member& member, const KernelTable& table, const Rows& vectors, const Item& item, float threshold) {
  if (member.right != item.right) {
    member.products.set_queries(vectors, item.right, item.right_end);
    member.right = item.right;
  }
  size_t numbers[kBlockRows];
  uint32_t places[kBlockRows];
  for (size_t left = item.left; left < item.left_end; left += kBlockRows) {
    const size_t count = std::min(kBlockRows, item.left_end - left);
    std::iota(numbers, numbers + count, left);
    member.products.multiply(vectors, numbers, count);
    for (size_t right = std::max(item.right, left + 1); right < item.right_end; ++right) {
      const float* products = member.products.of_query(right - item.right);
      const size_t found = table.at_least(products, std::min(count, right - left), threshold, places);
      for (size_t i = 0; i < found; ++i) member.pairs.push_back({left + places[i], right, products[places[i]]});
    }
  }
}

}  // namespace

std::optional<std::vector<Pair>> find_pairs(const Rows& vectors, size_t begin, size_t end, float threshold, size_t most,
                                            const Search& search) {
  const KernelTable& table = kernels(search.isa);
  checked_threads(search.threads);
  if (begin > end || end > vectors.count) {
    throw std::invalid_argument("rows " + std::to_string(begin) + " to " + std::to_string(end) +
                                " are not there; there are " + std::to_string(vectors.count) + ".");
  }
  const size_t step = queries_at_once(vectors.dimension);
  const std::vector<Item> items = items_of(begin, end, step);
  std::vector<std::unique_ptr<Member>> members(search.threads);
  std::atomic<size_t> total{0};
  share_out(search.threads, items.size(), spaced(search.poll), [&](size_t thread, size_t item) {
    if (total > most) return;
    if (!members[thread]) members[thread] = std::make_unique<Member>(table, vectors.dimension, std::min(step, end));
    const size_t before = members[thread]->pairs.size();
    take(*members[thread], table, vectors, items[item], threshold);
    total += members[thread]->pairs.size() - before;
  });
  if (total > most) return std::nullopt;
  std::vector<Pair> pairs;
  pairs.reserve(total);
  for (const auto& member : members) {
    if (member) pairs.insert(pairs.end(), member->pairs.begin(), member->pairs.end());
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.right != b.right ? a.right < b.right : a.left < b.left; });
  return pairs;
}

}  // namespace gtekit
