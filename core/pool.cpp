#include "pool.h"

#include <algorithm>
#include <system_error>

#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif

namespace gtekit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(100);

struct Cancelled {};  // thrown through a forward pass whose job was given up

}  // namespace

long current_process_id() {
#if defined(_WIN32)
  return _getpid();
#else
  return getpid();
#endif
}

struct Pool::Seat {
  Job* own = nullptr;  // the job of a caller; workers have none
  Clock::time_point last_poll = Clock::now();
};

Pool::Pool(size_t threads) : threads_(threads), process_id_(current_process_id()) {}

Pool::~Pool() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

size_t Pool::workspace_bytes() { return arena_bytes_; }

void Pool::run(Job& job) {
  Seat seat;
  seat.own = &job;
  Lock lock(mutex_);
  enqueue(job);
  if (job.num_batches > 1) start_workers(std::min(threads_, job.num_batches) - 1);
  // one batch on an idle pool is the caller's own: waking a worker for it would only cost time
  if (job.num_batches > 1) work_.notify_all();
  while (!job.is_complete()) {
    if (working_ < threads_ && job.has_more()) {
      work(seat, lock, [&] { return job.has_more(); });
      continue;
    }
    done_.wait_for(lock, kPollInterval);
    if (job.is_complete()) break;
    lock.unlock();
    poll(seat);
    lock.lock();
  }
  const std::exception_ptr error = job.error;
  lock.unlock();
  if (error) std::rethrow_exception(error);
}

void Pool::start_workers(size_t wanted) {
  try {
    while (workers_.size() < wanted) workers_.emplace_back([this] { work_as_worker(); });
  } catch (const std::system_error&) {
    // a limit on threads: those that there are, the caller at the least, do the work
  }
}

void Pool::work_as_worker() {
  Seat seat;
  Lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || (working_ < threads_ && has_work()); });
    if (stopping_) return;
    work(seat, lock, [&] { return !stopping_; });
  }
}

// Takes a seat and keeps it while there is work: urgent batches first, then one of each long job in turn.
void Pool::work(Seat& seat, Lock& lock, const std::function<bool()>& goes_on) {
  ++working_;
  while (has_work() && goes_on()) run_one(urgent_.empty() ? *bulk_.front() : *urgent_.front(), seat, lock);
  --working_;
  if (has_work()) {
    work_.notify_one();
    done_.notify_all();
  }
}

void Pool::run_one(Job& job, Seat& seat, Lock& lock) {
  const size_t batch = job.next++;
  forget(job);
  if (job.has_more()) enqueue(job);  // at the back: callers take turns
  std::unique_ptr<Arena> arena = borrow_arena();
  lock.unlock();
  const size_t bytes_before = arena->bytes();
  try {
    job.run(batch, *arena, [&] { between_layers(job, seat); });
  } catch (const Cancelled&) {
  } catch (...) {
    cancel(job, std::current_exception());
  }
  arena_bytes_ += arena->bytes() - bytes_before;
  lock.lock();
  arenas_.push_back(std::move(arena));
  ++job.finished;
  if (job.is_complete()) done_.notify_all();
}

void Pool::between_layers(Job& job, Seat& seat) {
  if (job.cancelled) throw Cancelled{};
  if (seat.own && Clock::now() - seat.last_poll >= kPollInterval) poll(seat);
  // an urgent batch is never parked, so parking is one level deep
  if (!job.is_urgent && urgent_waiting_ > 0) run_urgent(seat);
}

void Pool::run_urgent(Seat& seat) {
  Lock lock(mutex_);
  while (!urgent_.empty()) run_one(*urgent_.front(), seat, lock);
}

// A poll that throws ends its own job alone: the thread may be at work for another.
void Pool::poll(Seat& seat) {
  seat.last_poll = Clock::now();
  if (seat.own->cancelled || !seat.own->poll) return;
  try {
    seat.own->poll();
  } catch (...) {
    cancel(*seat.own, std::current_exception());
  }
}

void Pool::cancel(Job& job, std::exception_ptr error) {
  const Lock lock(mutex_);
  if (!job.error) job.error = error;
  job.cancelled = true;
  forget(job);
}

void Pool::enqueue(Job& job) {
  (job.is_urgent ? urgent_ : bulk_).push_back(&job);
  urgent_waiting_ = urgent_.size();
}

void Pool::forget(Job& job) {
  std::deque<Job*>& queue = job.is_urgent ? urgent_ : bulk_;
  const auto found = std::find(queue.begin(), queue.end(), &job);
  if (found != queue.end()) queue.erase(found);
  urgent_waiting_ = urgent_.size();
}

std::unique_ptr<Arena> Pool::borrow_arena() {
  if (arenas_.empty()) return std::make_unique<Arena>();
  std::unique_ptr<Arena> arena = std::move(arenas_.back());
  arenas_.pop_back();
  return arena;
}

}  // namespace gtekit
