#include "products.h"

#include <algorithm>
#include <cstring>

#include "narrow_floats.h"
#include "scratch.h"

namespace gtekit {
namespace {

constexpr size_t kMostQueries = 256;
constexpr size_t kQueryBytes = size_t{512} << 10;
constexpr size_t kTallTile = 24;  // rows of the largest register tile: fewer queries would leave it half empty

// Panels that are packed one after the other before they are multiplied: two are what `linear` takes at once for few
// rows, and with 384 numbers they are 48 KiB.
constexpr size_t kPanelsAtOnce = 2;
constexpr size_t kPanelsAhead = 2;  // that are on their way from memory meanwhile

}  // namespace

size_t queries_at_once(size_t dimension) {
  return std::clamp(kQueryBytes / (std::max<size_t>(dimension, 1) * sizeof(float)), kTallTile, kMostQueries);
}

Products::Products(const KernelTable& kernels, size_t dimension, size_t most_queries)
    : kernels_(kernels),
      dimension_(dimension),
      stride_(spread(round_up(dimension, kPanel))),
      product_stride_(spread(kBlockRows)),
      queries_(allocate_floats(most_queries * stride_)),
      panels_(allocate_floats(kPanelsAtOnce * kPanel * dimension)),
      products_(allocate_floats(most_queries * product_stride_)) {}

void Products::set_queries(const Rows& rows, size_t begin, size_t end) {
  num_queries_ = end - begin;
  for (size_t query = 0; query < num_queries_; ++query) {
    float* out = queries_.get() + query * stride_;
    if (rows.dtype == Dtype::float32) {
      std::memcpy(out, row_of(rows, begin + query), dimension_ * sizeof(float));
    } else {
      const uint16_t* halves = static_cast<const uint16_t*>(row_of(rows, begin + query));
      for (size_t i = 0; i < dimension_; ++i) out[i] = from_any_half(halves[i]);
    }
  }
}

void Products::multiply(const Rows& rows, const size_t* numbers, size_t count) {
  LinearTask task;
  task.x = queries_.get();
  task.x_stride = stride_;
  task.rows = num_queries_;
  task.panels = panels_.get();
  task.inputs = dimension_;
  task.out_stride = product_stride_;
  const size_t size = rows.dtype == Dtype::float32 ? sizeof(float) : sizeof(uint16_t);
  const size_t ahead = kPanelsAhead * kPanel * dimension_ * size;
  size_t packed = 0;
  for (size_t first = 0; first < count; first += kPanel) {
    const void* addresses[kPanel];
    for (size_t r = 0; r < kPanel; ++r) {
      addresses[r] =
          row_of(rows, numbers[std::min(first + r, count - 1)]);  // the last panel is filled with the last row
    }
    if (num_queries_ == 1) {
      kernels_.multiply_rows(addresses, rows.dtype, dimension_, ahead, queries_.get(), products_.get() + first);
      continue;
    }
    kernels_.pack_rows(addresses, rows.dtype, dimension_, ahead, panels_.get() + packed * kPanel * dimension_);
    if (++packed < kPanelsAtOnce && first + kPanel < count) continue;
    task.outputs = packed * kPanel;
    task.out = products_.get() + first + kPanel - task.outputs;
    kernels_.linear(task);
    packed = 0;
  }
}

}  // namespace gtekit
