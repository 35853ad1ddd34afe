// The kernel sets that a test runs: those that can run here, and AVX-VNNI with its one new instruction emulated.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "dispatch.h"
#include "gtekit.h"
#include "trap_vnni.h"

namespace test {

// Lengths up to two of the longest vectors and one more meet every tail.
inline constexpr size_t kMostLanes = 16, kLongest = 2 * kMostLanes + 1;

inline std::vector<const gtekit::KernelTable*> kernel_sets() {
  std::vector<const gtekit::KernelTable*> sets;
  bool is_trapped = trap_vnni();
  for (const std::string& isa : gtekit::possible_isas()) {
    sets.push_back(&gtekit::kernels(isa));
    if (isa == "avx_vnni") is_trapped = false;  // it can do without
  }
#if defined(__x86_64__)
  if (is_trapped) sets.push_back(&gtekit::kAvxVnni);
#endif
  return sets;
}

inline void for_every_set(const std::function<void(const gtekit::KernelTable&)>& body) {
  for (const gtekit::KernelTable* table : kernel_sets()) body(*table);
}

// For .ci/run, which reads it: a set that silently stayed away must not look like one that passed.
inline void print_sets() {
  std::printf("kernel sets:");
  for (const gtekit::KernelTable* table : kernel_sets()) std::printf(" %s", table->name);
  std::printf("\n");
}

}  // namespace test
