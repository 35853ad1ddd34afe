// Several threads on one micro-batch: a short text on an idle machine is spread over the cores.
//
// Work comes in stages of independent parts. Whoever is there takes the next part; the leader never waits for a helper
// that has not come, only for parts that were begun. Which thread ran a part leaves no trace in the result.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gtekit {

class Team {
 public:
  static constexpr size_t kMostParts = 65'535;  // of a stage

  // members: the most threads at work, the leader included.
  explicit Team(size_t members) : members_(members) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  size_t members() const { return members_; }

  // Runs body(part, member) for every part below `parts` and returns when all are done. For the leader, member 0;
  // no two threads at work have the same member. At most kMostParts parts. The body must not throw.
  template <typename Body>
  void for_each(size_t parts, const Body& body) {
    if (members_ == 1 || parts == 1) {
      for (size_t part = 0; part < parts; ++part) body(part, 0);
      return;
    }
    begin_stage(parts, &body,
                [](const void* of, size_t part, size_t member) { (*static_cast<const Body*>(of))(part, member); });
    take_parts(0);
    while (done_.load(std::memory_order_acquire) != parts) pause();
  }

  // For a helper: takes parts until the team is closed or `leaves` says so.
  template <typename Leaves>
  void help(size_t member, const Leaves& leaves) {
    while (!closed_.load(std::memory_order_acquire) && !leaves()) {
      if (!take_parts(member)) pause();
    }
    helpers_.fetch_sub(1, std::memory_order_release);
  }

  // Counts a helper in and gives it its member number; 0 where the team is full.
  size_t join() {
    if (joined_ + 1 >= members_) return 0;
    helpers_.fetch_add(1, std::memory_order_relaxed);
    return ++joined_;
  }

  // Sends the helpers away and waits for them.
  void close() {
    closed_.store(true, std::memory_order_release);
    while (helpers_.load(std::memory_order_acquire) != 0) pause();
  }

 private:
  using Run = void (*)(const void* body, size_t part, size_t member);

  void begin_stage(size_t parts, const void* body, Run run);
  bool take_parts(size_t member);  // whether there was one
  static void pause();

  const size_t members_;
  size_t joined_ = 0;               // guarded by the pool's mutex
  std::atomic<size_t> helpers_{0};  // that have not left
  std::atomic<bool> closed_{false};
  const void* body_ = nullptr;
  Run run_ = nullptr;
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<size_t> done_{0};
};

}  // namespace gtekit
