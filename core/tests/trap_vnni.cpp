// Zen 4 has vpdpbusd in the encoding of AVX-512 (EVEX) alone, and no qemu-user knows the VEX one. A CPU without it
// raises SIGILL with all registers saved in memory; the handler computes there what the instruction would have done,
// and moves the saved instruction pointer past it. When it returns, the kernel loads the registers and the code goes
// on.
#include "trap_vnni.h"

#if defined(__linux__) && defined(__x86_64__)

#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>

#include "cpu.h"

namespace test {
namespace {

// vpdpbusd ymm, ymm, ymm: C4, [R X B 00010], [W vvvv L pp], 50, [11 reg rm]; R, X, B and vvvv are stored inverted.
// The forms with memory operands are not here: inline assembly asks for registers.
struct Instruction {
  static constexpr int kLength = 5;
  int sums, bytes, weights;  // registers

  bool read(const uint8_t* code) {
    const bool is_known = code[0] == 0xc4 && (code[1] & 0x1f) == 0x02 && (code[2] & 0x87) == 0x05 && code[3] == 0x50 &&
                          (code[4] & 0xc0) == 0xc0;
    if (!is_known) return false;
    sums = (code[4] >> 3 & 7) | (code[1] & 0x80 ? 0 : 8);
    weights = (code[4] & 7) | (code[1] & 0x20 ? 0 : 8);
    bytes = ~code[2] >> 3 & 15;
    return true;
  }
};

// The registers of an interrupted program, as XSAVE wrote them (Intel SDM, volume 1, 13.4): the lower halves of ymm
// from byte 160 on, the map of what is in use at 512, and the upper halves where CPUID leaf 13 says.
class Ymm {
 public:
  explicit Ymm(uint8_t* area) : area_(area) {
    unsigned size, upper, unused;
    __cpuid_count(13, 2, size, upper, unused, unused);
    upper_ = area + upper;
    uint64_t in_use;
    std::memcpy(&in_use, area + 512, sizeof in_use);
    if (!(in_use & 4)) std::memset(upper_, 0, size);  // all upper halves are 0, and need not have been written
    in_use |= 6;                                      // both halves are to be loaded again
    std::memcpy(area + 512, &in_use, sizeof in_use);
  }
  void get(int number, void* value) const {
    std::memcpy(value, area_ + 160 + 16 * number, 16);
    std::memcpy(static_cast<uint8_t*>(value) + 16, upper_ + 16 * number, 16);
  }
  void set(int number, const void* value) {
    std::memcpy(area_ + 160 + 16 * number, value, 16);
    std::memcpy(upper_ + 16 * number, static_cast<const uint8_t*>(value) + 16, 16);
  }

 private:
  uint8_t* area_;
  uint8_t* upper_;
};

void run(const Instruction& instruction, Ymm registers) {
  uint32_t sums[8];
  uint8_t bytes[32];
  int8_t weights[32];
  registers.get(instruction.sums, sums);
  registers.get(instruction.bytes, bytes);
  registers.get(instruction.weights, weights);
  for (int i = 0; i < 32; ++i) sums[i / 4] += static_cast<uint32_t>(bytes[i] * weights[i]);  // wraps, as it should
  registers.set(instruction.sums, sums);
}

void on_illegal_instruction(int, siginfo_t*, void* context) {
  mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  Instruction instruction;
  if (!instruction.read(reinterpret_cast<const uint8_t*>(machine.gregs[REG_RIP]))) {
    signal(SIGILL, SIG_DFL);  // a true mistake: it happens again, and ends the program
    return;
  }
  run(instruction, Ymm(reinterpret_cast<uint8_t*>(machine.fpregs)));
  machine.gregs[REG_RIP] += Instruction::kLength;
}

}  // namespace

bool trap_vnni() {
  if (!gtekit::cpu().avx2 || !gtekit::cpu().fma || !gtekit::cpu().f16c) return false;
  struct sigaction action = {};
  action.sa_sigaction = on_illegal_instruction;
  action.sa_flags = SA_SIGINFO;
  return sigaction(SIGILL, &action, nullptr) == 0;
}

}  // namespace test

#else

namespace test {
bool trap_vnni() { return false; }
}  // namespace test

#endif
