#include "plan.h"

#include <algorithm>
#include <numeric>

namespace gtekit {
namespace {

// Below this a micro-batch spends its time on waiting for weights.
constexpr size_t kFewestTokens = 64;

}  // namespace

Plan plan_batches(const int64_t* cu_seqlens, size_t num_texts, size_t batch_tokens, size_t threads) {
  const auto length = [&](size_t text) { return static_cast<size_t>(cu_seqlens[text + 1] - cu_seqlens[text]); };
  Plan plan;
  plan.order.resize(num_texts);
  std::iota(plan.order.begin(), plan.order.end(), size_t{0});
  // longest first: the batch that needs the most memory runs first, and the last ones to finish are short
  std::stable_sort(plan.order.begin(), plan.order.end(), [&](size_t a, size_t b) { return length(a) > length(b); });

  const size_t total = static_cast<size_t>(cu_seqlens[num_texts]);
  batch_tokens = std::clamp<size_t>(batch_tokens, 1, std::max<size_t>(total, 1));  // keeps the products below in range
  const size_t rounds = std::max<size_t>(1, (total + batch_tokens * threads - 1) / (batch_tokens * threads));
  const size_t share = (total + rounds * threads - 1) / (rounds * threads);
  const size_t budget = std::clamp(share, std::min(kFewestTokens, batch_tokens), batch_tokens);
  size_t tokens = 0;
  for (size_t i = 0; i < num_texts; ++i) {
    const size_t more = length(plan.order[i]);
    if (i == 0 || tokens + more > budget) {
      plan.starts.push_back(i);
      tokens = 0;
    }
    tokens += more;
  }
  plan.starts.push_back(num_texts);
  return plan;
}

}  // namespace gtekit
