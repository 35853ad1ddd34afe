// The best rows for each query: products and choice in one pass, nothing kept but candidates.
#include <algorithm>
#include <cmath>
#include <limits>
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

struct Candidate {
  float score;
  size_t number;
};

// The order of results: by score, of equal ones the earlier row first, NaN last.
bool comes_before(const Candidate& a, const Candidate& b) {
  if (a.score > b.score) return true;
  if (a.score < b.score) return false;
  const bool is_a_nan = std::isnan(a.score), is_b_nan = std::isnan(b.score);
  return is_a_nan != is_b_nan ? is_b_nan : a.number < b.number;
}

// The candidates of one query on one thread. What comes in comes in ascending order of rows: an equal score that comes
// later can't win, so only what is above the last of the best is looked at.
class Best {
 public:
  explicit Best(size_t top_k) : top_k_(top_k), room_(top_k + std::max(top_k, kLeastRoom)) {}

  void take(const KernelTable& kernels, const float* scores, const size_t* numbers, size_t count) {
    size_t first = 0;
    for (; first < count && takes_all_; ++first) add({scores[first], numbers[first]});
    uint32_t places[kBlockRows];
    const size_t found = kernels.at_least(scores + first, count - first, least_, places);
    for (size_t i = 0; i < found; ++i) {
      const size_t place = first + places[i];
      if (scores[place] >= least_) add({scores[place], numbers[place]});
    }
  }

  const std::vector<Candidate>& candidates() const { return candidates_; }

 private:
  static constexpr size_t kLeastRoom = 64;

  void add(const Candidate& candidate) {
    candidates_.push_back(candidate);
    if (candidates_.size() < room_) return;
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(top_k_ - 1),
                     candidates_.end(), comes_before);
    candidates_.resize(top_k_);
    const float last = candidates_.back().score;
    takes_all_ = std::isnan(last);
    least_ = std::nextafter(last, std::numeric_limits<float>::infinity());
  }

  size_t top_k_, room_;
  bool takes_all_ = true;
  float least_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

// Rows that a thread takes at a time: about a millisecond of products, or of reading where the queries are few.
size_t rows_at_once(size_t queries, size_t dimension) {
  constexpr size_t kProducts = size_t{1} << 26, kMostBlocks = 16;
  const size_t of_block = std::max<size_t>(queries * dimension * kBlockRows, 1);
  return kBlockRows * std::clamp<size_t>(kProducts / of_block, 1, kMostBlocks);
}

// Threads that the work is worth: starting one takes as long as 400,000 products.
size_t threads_for(size_t queries, const Rows& vectors, size_t threads) {
  constexpr double kProductsOfThread = 1.5e6;
  const double products = static_cast<double>(queries) * static_cast<double>(vectors.count) *
                          static_cast<double>(std::max<size_t>(vectors.dimension, 1));
  return static_cast<size_t>(std::clamp(products / kProductsOfThread, 1.0, static_cast<double>(threads)));
}

// One batch of queries that are answered together.
class Batch {
 public:
  Batch(const Rows& queries, size_t begin, size_t end, const Rows& vectors, size_t top_k, const Search& search,
        const std::function<void()>& poll)
      : queries_(queries),
        begin_(begin),
        end_(end),
        vectors_(vectors),
        top_k_(top_k),
        kernels_(kernels(search.isa)),
        poll_(poll),
        threads_(threads_for(end - begin, vectors, search.threads)),
        members_(threads_) {}

  void find(const uint8_t* allowed, const Found& found) {
    const size_t rows = rows_at_once(end_ - begin_, vectors_.dimension);
    share_out(threads_, (vectors_.count + rows - 1) / rows, poll_, [&](size_t thread, size_t item) {
      take_rows(member(thread), allowed, item * rows, std::min((item + 1) * rows, vectors_.count));
    });
    share_out(top_k_ < kFewResults ? 1 : threads_, end_ - begin_, poll_,
              [&](size_t, size_t query) { write(query, found); });
  }

 private:
  static constexpr size_t kFewResults = 100;

  struct Member {
    Member(const KernelTable& table, size_t dimension, size_t count, size_t top_k)
        : products(table, dimension, count), best(count, Best(top_k)) {}
    Products products;
    std::vector<Best> best;  // for each query
  };

  Member& member(size_t thread) {
    if (!members_[thread]) {
      members_[thread] = std::make_unique<Member>(kernels_, vectors_.dimension, end_ - begin_, top_k_);
      members_[thread]->products.set_queries(queries_, begin_, end_);
    }
    return *members_[thread];
  }

  void take_rows(Member& member, const uint8_t* allowed, size_t first, size_t last) {
    size_t numbers[kBlockRows];
    size_t count = 0;
    for (size_t row = first; row < last; ++row) {
      if (!allowed || allowed[row]) numbers[count++] = row;
      if (count < kBlockRows && row + 1 < last) continue;
      if (count > 0) take_block(member, numbers, count);
      count = 0;
    }
  }

  void take_block(Member& member, const size_t* numbers, size_t count) {
    member.products.multiply(vectors_, numbers, count);
    for (size_t query = 0; query < member.best.size(); ++query) {
      member.best[query].take(kernels_, member.products.of_query(query), numbers, count);
    }
  }

  void write(size_t query, const Found& found) const {
    std::vector<Candidate> all;
    for (const auto& member : members_) {
      if (!member) continue;
      const std::vector<Candidate>& some = member->best[query].candidates();
      all.insert(all.end(), some.begin(), some.end());
    }
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top_k_), all.end(), comes_before);
    const size_t place = (begin_ + query) * top_k_;
    for (size_t i = 0; i < top_k_; ++i) {
      found.scores[place + i] = all[i].score;
      found.numbers[place + i] = static_cast<int64_t>(all[i].number);
    }
  }

  const Rows& queries_;
  const size_t begin_, end_;
  const Rows& vectors_;
  const size_t top_k_;
  const KernelTable& kernels_;
  const std::function<void()>& poll_;  // of the whole search: a batch may be done before one is due
  const size_t threads_;
  std::vector<std::unique_ptr<Member>> members_;  // of each thread
};

// Queries that are answered together: as many as the cache takes, fewer where their candidates would fill the memory.
size_t batch_size(size_t queries, size_t dimension, size_t top_k) {
  constexpr size_t kMostCandidates = size_t{1} << 20;  // of one thread: 32 MiB with the room to choose
  const size_t most = std::min(queries_at_once(dimension), std::max<size_t>(kMostCandidates / top_k, 1));
  const size_t batches = (queries + most - 1) / most;
  return (queries + batches - 1) / batches;
}

void check(const Rows& queries, const Rows& vectors, const uint8_t* allowed, size_t top_k) {
  if (queries.dimension != vectors.dimension) {
    throw std::invalid_argument("queries have " + std::to_string(queries.dimension) + " dimensions, vectors " +
                                std::to_string(vectors.dimension) + "; they must agree.");
  }
  const size_t most =
      allowed ? vectors.count - static_cast<size_t>(std::count(allowed, allowed + vectors.count, uint8_t{0}))
              : vectors.count;
  if (top_k > most) {
    throw std::invalid_argument("top_k is " + std::to_string(top_k) + ", and " + std::to_string(most) +
                                " vectors may be found; it can't be more.");
  }
}

}  // namespace

void find_nearest(const Rows& queries, const Rows& vectors, const uint8_t* allowed, size_t top_k, const Found& found,
                  const Search& search) {
  kernels(search.isa);  // throws where they can't run
  checked_threads(search.threads);
  check(queries, vectors, allowed, top_k);
  if (queries.count == 0 || top_k == 0) return;
  const size_t size = batch_size(queries.count, vectors.dimension, top_k);
  const std::function<void()> poll = spaced(search.poll);
  for (size_t begin = 0; begin < queries.count; begin += size) {
    Batch(queries, begin, std::min(begin + size, queries.count), vectors, top_k, search, poll).find(allowed, found);
  }
}

}  // namespace gtekit
