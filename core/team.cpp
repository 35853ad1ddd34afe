#include "team.h"

#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace gtekit {
namespace {

// A ticket: the number of the stage, how many parts it has, the next of them. All in one, so that whoever takes a part
// knows that it is one of this stage.
constexpr uint64_t kStage = uint64_t{1} << 32, kParts = uint64_t{1} << 16;
constexpr uint64_t next_part(uint64_t ticket) { return ticket % kParts; }
constexpr uint64_t parts_of(uint64_t ticket) { return ticket % kStage / kParts; }

// Spins before the processor is offered to others: about 50 µs, longer than any stage of a short text.
constexpr unsigned kSpins = 2'000;

}  // namespace

void Team::begin_stage(size_t parts, const void* body, Run run) {
  body_ = body;
  run_ = run;
  done_.store(0, std::memory_order_relaxed);
  const uint64_t stage = ticket_.load(std::memory_order_relaxed) / kStage + 1;
  ticket_.store(stage * kStage + parts * kParts, std::memory_order_release);
}

bool Team::take_parts(size_t member) {
  bool found = false;
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (next_part(ticket) < parts_of(ticket)) {
    // succeeds only within the stage that was looked at, which can't end before this part is done
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
      continue;
    }
    run_(body_, next_part(ticket), member);
    done_.fetch_add(1, std::memory_order_release);
    found = true;
    ticket = ticket_.load(std::memory_order_acquire);
  }
  return found;
}

void Team::pause() {
  thread_local unsigned spins = 0;
  if (++spins % kSpins == 0) {
    std::this_thread::yield();
    return;
  }
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__GNUC__) && defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace gtekit
