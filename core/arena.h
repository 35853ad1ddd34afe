// Scratch memory of one micro-batch: one aligned block, handed out from the front, grown only when a larger
// micro-batch comes.
#pragma once

#include <cstddef>
#include <memory>

namespace gtekit {

inline constexpr size_t kAlignment = 64;  // a cache line, and one AVX-512 register

struct AlignedDelete {
  void operator()(void* p) const;
};
using AlignedBytes = std::unique_ptr<unsigned char[], AlignedDelete>;
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;

AlignedBytes allocate_aligned(size_t bytes);  // not initialized; throws std::bad_alloc
AlignedFloats allocate_floats(size_t count);

class Arena {
 public:
  // Forget what was handed out, and make room for `bytes`: the sum of `rounded` of each later `take`.
  void reset(size_t bytes);
  template <typename T>
  T* take(size_t count) {
    return reinterpret_cast<T*>(take_bytes(count * sizeof(T)));
  }
  size_t bytes() const { return capacity_; }

  static size_t rounded(size_t bytes);  // up to a cache line

 private:
  unsigned char* take_bytes(size_t bytes);

  AlignedBytes block_;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

}  // namespace gtekit
