// How the texts of a call become micro-batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gtekit {

struct Plan {
  std::vector<size_t> order;   // texts, longest first
  std::vector<size_t> starts;  // batch i holds order[starts[i]] up to order[starts[i + 1]]
  size_t num_batches() const { return starts.size() - 1; }
};

// Sorts by length and fills micro-batches up to `batch_tokens`; a longer text is a micro-batch of its own.
// Work for less than a full round of the threads is cut finer, so that all of them finish together.
// Any budget will do; no more than kMostThreads threads.
Plan plan_batches(const int64_t* cu_seqlens, size_t num_texts, size_t batch_tokens, size_t threads);

}  // namespace gtekit
