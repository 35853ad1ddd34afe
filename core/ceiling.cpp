#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.h"
#include "gtekit.h"
#include "share.h"

namespace gtekit {

double measure_ceiling(std::string_view isa, Precision precision, size_t threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kRounds = 20'000;  // under a millisecond
  const KernelTable& table = kernels(isa);
  if (threads < 1 || threads > kMostThreads || !(seconds > 0.0)) {
    throw std::invalid_argument("a ceiling takes 1 to " + std::to_string(kMostThreads) +
                                " threads and more than 0 seconds, not " + std::to_string(threads) + " and " +
                                std::to_string(seconds) + ".");
  }
  const auto loop = precision == Precision::int8 ? table.byte_ceiling : table.float_ceiling;
  std::vector<double> rates(threads);
  const auto measure = [&](size_t thread) {
    double operations = 0.0, passed = 0.0;
    const Clock::time_point begun = Clock::now();
    while (passed < seconds) {
      operations += loop(kRounds);
      passed = std::chrono::duration<double>(Clock::now() - begun).count();
    }
    rates[thread] = operations / passed;
  };
  std::vector<std::future<void>> others;  // which wait for their threads, also where one can't be started
  for (size_t thread = 1; thread < threads; ++thread) {
    others.push_back(std::async(std::launch::async, measure, thread));
  }
  measure(0);
  for (std::future<void>& other : others) other.get();
  double total = 0.0;
  for (const double rate : rates) total += rate;
  return total;
}

uint64_t sum_words(const void* data, size_t bytes, size_t threads) {
  constexpr size_t kAtOnce = 4, kWords = size_t{1} << 17;  // a mebibyte at a time
  const size_t count = bytes / sizeof(uint64_t) / kAtOnce * kAtOnce;
  const unsigned char* const words = static_cast<const unsigned char*>(data);
  const auto word = [&](size_t i) {
    uint64_t value;
    std::memcpy(&value, words + i * sizeof value, sizeof value);
    return value;
  };
  std::atomic<uint64_t> total{0};
  share_out(checked_threads(threads), (count + kWords - 1) / kWords, {}, [&](size_t, size_t item) {
    uint64_t a = 0, b = 0, c = 0, d = 0;  // no addition waits for the last one
    const size_t end = std::min((item + 1) * kWords, count);
    for (size_t i = item * kWords; i < end; i += kAtOnce) {
      a += word(i);
      b += word(i + 1);
      c += word(i + 2);
      d += word(i + 3);
    }
    total += a + b + c + d;
  });
  return total;
}

}  // namespace gtekit
