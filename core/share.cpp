#include "share.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtekit.h"

namespace gtekit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(100);

// The items of one call, and what ended it.
class Work {
 public:
  Work(size_t count, const std::function<void(size_t, size_t)>& body) : count_(count), body_(body) {}

  // Takes items until none is left. `between` runs after each.
  template <typename Between>
  void take(size_t thread, const Between& between) {
    try {
      while (!is_stopped_) {
        const size_t item = next_++;
        if (item >= count_) return;
        body_(thread, item);
        between();
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
      is_stopped_ = true;
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const size_t count_;
  const std::function<void(size_t, size_t)>& body_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> is_stopped_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

void share_out(size_t threads, size_t count, const std::function<void()>& poll,
               const std::function<void(size_t, size_t)>& body) {
  Work work(count, body);
  std::vector<std::thread> others;
  try {
    const size_t wanted = std::min(threads, count);
    others.reserve(wanted);
    for (size_t thread = 1; thread < wanted; ++thread) {
      others.emplace_back([&work, thread] { work.take(thread, [] {}); });
    }
  } catch (const std::exception&) {
    // a limit on threads or memory: those that there are, the caller at the least, do the work
  }
  work.take(0, [&] {
    if (poll) poll();
  });
  for (std::thread& other : others) other.join();
  work.rethrow();
}

std::function<void()> spaced(std::function<void()> poll) {
  if (!poll) return {};
  return [poll = std::move(poll), last = Clock::now()]() mutable {
    if (Clock::now() - last < kPollInterval) return;
    poll();
    last = Clock::now();
  };
}

size_t checked_threads(size_t threads) {
  if (threads >= 1 && threads <= kMostThreads) return threads;
  throw std::invalid_argument("threads is " + std::to_string(threads) + "; it has to be 1 to " +
                              std::to_string(kMostThreads) + ".");
}

}  // namespace gtekit
