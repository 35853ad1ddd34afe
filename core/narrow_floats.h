// Numbers of 16 bits as float32: exact, since float32 holds every float16 and bfloat16.
#pragma once

#include <bit>
#include <cstdint>

namespace gtekit {

// IEEE half to single without branches, so that the compiler can vectorize it: the bits move to the place of a
// single and a multiplication by 2^112 corrects the exponent, of subnormals too. Infinity and NaN do not occur:
// a checkpoint with either is refused before it gets here.
inline float from_half(uint16_t half) {
  const float magnitude = std::bit_cast<float>(static_cast<uint32_t>(half & 0x7fff) << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | static_cast<uint32_t>(half & 0x8000) << 16);
}

// The same, with infinity and NaN as what they are.
inline float from_any_half(uint16_t half) {
  const uint32_t bits = std::bit_cast<uint32_t>(from_half(half));
  return std::bit_cast<float>((half & 0x7c00) == 0x7c00 ? bits | 0x7f800000 : bits);
}

inline float from_bfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace gtekit
