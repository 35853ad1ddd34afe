// Where the time of a forward pass goes. Off by default: a part then costs one look at a flag.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gtekit {

enum class Part { embed, quantize, query_key_value, attention, attention_output, up, down, norm };
inline constexpr const char* kPartNames[] = {
    "embed", "quantize", "query_key_value", "attention", "attention_output", "up", "down", "norm"};
inline constexpr size_t kParts = std::size(kPartNames);

// Nanoseconds of all threads together, by part.
class Timing {
 public:
  void turn_on(bool on) {
    for (auto& part : nanoseconds_) part = 0;
    is_on_ = on;
  }
  bool is_on() const { return is_on_.load(std::memory_order_relaxed); }
  void add(Part part, uint64_t nanoseconds) { nanoseconds_[static_cast<size_t>(part)] += nanoseconds; }
  uint64_t nanoseconds(size_t part) const { return nanoseconds_[part]; }

 private:
  std::atomic<bool> is_on_{false};
  std::array<std::atomic<uint64_t>, kParts> nanoseconds_{};
};

// Adds the time from here to the end of the block to a part.
class Timer {
 public:
  Timer(Timing& timing, Part part) : timing_(timing.is_on() ? &timing : nullptr), part_(part) {
    if (timing_) begun_ = Clock::now();
  }
  ~Timer() {
    if (!timing_) return;
    const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun_);
    timing_->add(part_, static_cast<uint64_t>(passed.count()));
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  Timing* timing_;
  Part part_;
  Clock::time_point begun_{};
};

}  // namespace gtekit
