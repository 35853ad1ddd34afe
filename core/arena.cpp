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

size_t Arena::rounded(size_t bytes) { return round_up(bytes, kAlignment); }

void Arena::reset(size_t bytes) {
  used_ = 0;
  if (bytes <= capacity_) return;
  block_.reset();  // first, so that old and new never exist together
  capacity_ = 0;
  block_ = allocate_aligned(bytes);
  capacity_ = bytes;
}

unsigned char* Arena::take_bytes(size_t bytes) {
  unsigned char* start = block_.get() + used_;
  used_ += rounded(bytes);
  assert(used_ <= capacity_);
  return start;
}

}  // namespace gtekit
