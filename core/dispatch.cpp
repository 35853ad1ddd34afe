#include "dispatch.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "cpu.h"
#include "gtekit.h"

namespace gtekit {
namespace {

struct Choice {
  const KernelTable* table;
  bool (*can_run)();
};

// Fastest first. A new kernel set is one line here and one file in kernels/.
const Choice kChoices[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {&kAvx512Vnni, [] { return cpu().avx512_vnni && cpu().avx2 && cpu().fma; }},
    {&kAvx512, [] { return cpu().avx512 && cpu().avx2 && cpu().fma; }},
    {&kAvxVnni, [] { return cpu().avx_vnni && cpu().avx2 && cpu().fma && cpu().f16c; }},
    {&kAvx2, [] { return cpu().avx2 && cpu().fma && cpu().f16c; }},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {&kNeonDotprod, [] { return cpu().neon_dotprod; }},
    {&kNeon, [] { return cpu().neon; }},
#endif
    {&kScalar, [] { return true; }},
};

}  // namespace

const KernelTable& kernels(std::string_view isa) {
  std::string possible;
  for (const Choice& choice : kChoices) {
    if (!choice.can_run()) continue;
    if (isa == choice.table->name) return *choice.table;
    possible += (possible.empty() ? "" : ", ") + std::string(choice.table->name);
  }
  throw std::invalid_argument("kernels '" + std::string(isa) +
                              "' can't run here; possible on this machine: " + possible + ".");
}

std::vector<std::string> compiled_isas() {
  std::vector<std::string> names;
  for (const Choice& choice : kChoices) names.emplace_back(choice.table->name);
  return names;
}

std::vector<std::string> possible_isas() {
  std::vector<std::string> names;
  for (const Choice& choice : kChoices) {
    if (choice.can_run()) names.emplace_back(choice.table->name);
  }
  return names;
}

std::vector<std::pair<std::string, bool>> cpu_features() {
  const CpuFeatures& found = cpu();
  return {{"avx2", found.avx2},
          {"fma", found.fma},
          {"f16c", found.f16c},
          {"avx512", found.avx512},
          {"avx512_vnni", found.avx512_vnni},
          {"avx_vnni", found.avx_vnni},
          {"amx_int8", found.amx_int8},
          {"neon", found.neon},
          {"neon_dotprod", found.neon_dotprod}};
}

}  // namespace gtekit
