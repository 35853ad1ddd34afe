#include "arena.h"

#include <cassert>
#include <new>

#include "kernels/table.h"

namespace gtekit {

void AlignedDelete::operator()(void* p) const { ::operator delete[](p, std::align_val_t{kAlignment}); }

AlignedBytes allocate_aligned(size_t bytes) {
  return AlignedBytes(static_cast<unsigned char*>(::operator new[](bytes, std::align_val_t{kAlignment})));
}

AlignedFloats allocate_floats(size_t count) {
  return AlignedFloats(reinterpret_cast<float*>(allocate_aligned(count * sizeof(float)).release()));
}

size_t Arena::rounded(size_t floats) { return round_up(floats, kAlignment / sizeof(float)); }

void Arena::reset(size_t floats) {
  used_ = 0;
  if (floats <= capacity_) return;
  block_.reset();  // first, so that old and new never exist together
  capacity_ = 0;
  block_ = allocate_floats(floats);
  capacity_ = floats;
}

float* Arena::take(size_t floats) {
  float* start = block_.get() + used_;
  used_ += rounded(floats);
  assert(used_ <= capacity_);
  return start;
}

}  // namespace gtekit
