// Products of some vectors, the queries, with blocks of others. The queries lie in rows and the others in panels, as
// `linear` wants them: sixteen rows are transposed in registers as they come from memory, widened where they are
// halves, and multiplied with all queries while the first level of the cache has them, or with one query at once. Every
// sum goes over the numbers in ascending order in one accumulator, so no product depends on its neighbours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arena.h"
#include "gtekit.h"
#include "kernels/table.h"

namespace gtekit {

// Of one block: the products of 256 queries with it are 256 KiB, a quarter of the second level of a cache.
inline constexpr size_t kBlockRows = 256;

// How many queries of a dimension stay in the second level of a cache, beside the products.
size_t queries_at_once(size_t dimension);

// The address of a row.
inline const void* row_of(const Rows& rows, size_t number) {
  const size_t size = rows.dtype == Dtype::float32 ? sizeof(float) : sizeof(uint16_t);
  return static_cast<const unsigned char*>(rows.data) + number * rows.dimension * size;
}

class Products {
 public:
  Products(const KernelTable& kernels, size_t dimension, size_t most_queries);

  // Takes rows begin to end, no more than most_queries, as queries.
  void set_queries(const Rows& rows, size_t begin, size_t end);

  // Multiplies every query with the rows of these numbers, kBlockRows at the most.
  void multiply(const Rows& rows, const size_t* numbers, size_t count);

  size_t num_queries() const { return num_queries_; }
  const float* of_query(size_t query) const { return products_.get() + query * product_stride_; }

 private:
  const KernelTable& kernels_;
  const size_t dimension_, stride_, product_stride_;
  size_t num_queries_ = 0;
  AlignedFloats queries_, panels_, products_;
};

}  // namespace gtekit
