// Threads that share out micro-batches: no barriers, each takes the next one when it is done with its last.
//
// At most `threads` work at once. Whoever calls works too, so one thread needs no others, and a short text on an
// idle machine costs no hand-over. Threads without work help with a batch that is alone (team.h). Between two steps
// of a layer a thread sees whether its job was cancelled, asks the caller's poll, and, in a long job, looks for urgent
// micro-batches: it parks its own, runs one in each layer, and goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "arena.h"
#include "model.h"

namespace gtekit {

// One call: micro-batches 0 to num_batches - 1, in any order, on any thread. Lives in the frame of its caller.
struct Job {
  size_t num_batches = 0;
  bool is_urgent = false;
  std::function<void(size_t batch, Arena&, Team&, const BetweenSteps&)> run;
  std::function<void()> poll;  // only ever called on the thread of the caller; throws to cancel

  // Guarded by the pool's mutex.
  size_t next = 0;
  size_t finished = 0;
  std::exception_ptr error;

  std::atomic<bool> cancelled{false};

  bool has_more() const { return next < num_batches && !cancelled; }
  bool is_complete() const { return finished == next && !has_more(); }
};

class Pool {
 public:
  explicit Pool(size_t threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Returns when every batch has run. Rethrows what a batch or the poll threw, once no thread works for the job.
  void run(Job& job);

  long process_id() const { return process_id_; }
  size_t workspace_bytes();  // scratch memory kept for the next batches

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Seat;  // one thread at work

  void start_workers(size_t wanted);
  void work_as_worker();
  void work(Seat& seat, Lock& lock, const std::function<bool()>& goes_on);
  Job& pick();
  void run_one(Job& job, Seat& seat, Lock& lock);
  void between_steps(Job& job, Seat& seat, size_t layer, size_t& urgent_layer);
  void run_urgent(Seat& seat);
  size_t team_size(const Job& job) const;
  void help(Lock& lock);
  void poll(Seat& seat);
  void cancel(Job& job, std::exception_ptr error);
  void enqueue(Job& job);
  void forget(Job& job);
  bool has_work() const { return !urgent_.empty() || !bulk_.empty(); }
  bool has_team() const { return team_ != nullptr; }
  std::unique_ptr<Arena> borrow_arena();
  void return_arena(std::unique_ptr<Arena> arena);

  const size_t threads_;
  const long process_id_;
  std::mutex mutex_;
  std::condition_variable work_;           // for workers: a batch waits and a seat is free
  std::condition_variable done_;           // for callers: a job is complete, or a seat is free
  std::deque<Job*> urgent_;                // jobs with batches that nobody took yet
  std::deque<Job*> bulk_;                  // taken in turn, so that callers share the threads
  std::atomic<size_t> urgent_waiting_{0};  // size of urgent_, to look at without the lock
  std::atomic<size_t> waiting_{0};         // size of both, to look at without the lock
  Team* team_ = nullptr;                   // that takes helpers: of the one batch at work
  size_t working_ = 0;
  size_t picks_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
  std::vector<std::unique_ptr<Arena>> arenas_;  // not in use; last in, first out, so that they are warm
  size_t arena_bytes_ = 0;
};

long current_process_id();

}  // namespace gtekit
