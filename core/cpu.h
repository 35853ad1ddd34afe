// What this CPU offers and this operating system lets through.
#pragma once

namespace gtekit {

struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
  bool f16c = false;
  bool avx512 = false;  // F, BW, DQ and VL together
  bool avx512_vnni = false;
  bool avx_vnni = false;
  bool amx_int8 = false;
  bool neon = false;
  bool neon_dotprod = false;
};

const CpuFeatures& cpu();

}  // namespace gtekit
