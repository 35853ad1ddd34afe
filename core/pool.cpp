#include "pool.h"

#include <algorithm>
#include <new>
#include <utility>

#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif

namespace gtekit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(100);

// One batch in so many goes to a long job, however many urgent ones come: none waits for ever.
constexpr size_t kBulkShare = 4;

// Scratch memory that is kept for the next batch: 512 tokens of gte-large take 15 MiB. More than that was wanted
// by one unusual call and goes back.
constexpr size_t kKeptArenaBytes = size_t{64} << 20;

// The most threads on one batch: its parts get too small for more.
constexpr size_t kMostMembers = 8;

constexpr size_t kNone = SIZE_MAX;

struct Cancelled {};  // thrown through a forward pass whose job was given up

// The pool for which this thread is at work: a poll that calls the encoder comes back to it.
thread_local const Pool* seated_at = nullptr;

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

size_t Pool::workspace_bytes() {
  const Lock lock(mutex_);
  return arena_bytes_;
}

void Pool::run(Job& job) {
  Seat seat;
  seat.own = &job;
  Lock lock(mutex_);
  enqueue(job);
  start_workers(job.num_batches > 1 ? std::min(threads_, job.num_batches) - 1 : team_size(job) - 1);
  if (job.num_batches > 1) work_.notify_all();
  // called from a poll: this thread has a seat already, and waiting for a second one could take for ever
  while (seated_at == this && job.has_more()) run_one(job, seat, lock);
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
    workers_.reserve(wanted);
    while (workers_.size() < wanted) workers_.emplace_back([this] { work_as_worker(); });
  } catch (const std::exception&) {
    // a limit on threads or memory: those that there are, the caller at the least, do the work
  }
}

void Pool::work_as_worker() {
  Seat seat;
  Lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || (working_ < threads_ && (has_work() || has_team())); });
    if (stopping_) return;
    if (has_work()) {
      work(seat, lock, [&] { return !stopping_; });
    } else {
      help(lock);
    }
  }
}

// Takes a seat and keeps it while there is work.
void Pool::work(Seat& seat, Lock& lock, const std::function<bool()>& goes_on) {
  ++working_;
  const Pool* const other = std::exchange(seated_at, this);
  while (has_work() && goes_on()) run_one(pick(), seat, lock);
  seated_at = other;
  --working_;
  if (has_work()) {
    work_.notify_one();
    done_.notify_all();
  }
}

// Urgent jobs first, with a share for long ones; long jobs in turn, so that callers share the threads.
Job& Pool::pick() {
  const bool is_turn_of_bulk = !bulk_.empty() && ++picks_ % kBulkShare == 0;
  if (!urgent_.empty() && !is_turn_of_bulk) return *urgent_.front();
  std::rotate(bulk_.begin(), bulk_.begin() + 1, bulk_.end());
  return *bulk_.back();
}

// Nothing here throws while it holds a batch that others wait for: what fails, fails inside the try.
void Pool::run_one(Job& job, Seat& seat, Lock& lock) {
  const size_t batch = job.next++;
  if (!job.has_more()) forget(job);
  std::unique_ptr<Arena> arena = borrow_arena();
  if (arena) arena_bytes_ -= arena->bytes();
  // alone at work: whoever has nothing else to do may help
  Team team(working_ <= 1 && !team_ && !has_work() ? team_size(job) : 1);
  if (team.members() > 1) team_ = &team;
  lock.unlock();
  for (size_t place = 1; place < team.members(); ++place) work_.notify_one();
  try {
    if (!arena) arena = std::make_unique<Arena>();
    job.run(batch, *arena, team,
            [&, urgent_layer = kNone](size_t layer) mutable { between_steps(job, seat, layer, urgent_layer); });
  } catch (const Cancelled&) {
  } catch (...) {
    cancel(job, std::current_exception());
  }
  lock.lock();
  if (team_ == &team) team_ = nullptr;
  lock.unlock();
  team.close();
  lock.lock();
  return_arena(std::move(arena));
  ++job.finished;
  if (job.is_complete()) done_.notify_all();
}

// The members of the team of a batch that is alone in its job.
size_t Pool::team_size(const Job& job) const { return job.num_batches == 1 ? std::min(threads_, kMostMembers) : 1; }

// Takes a seat in the team that is open, until it closes or there is other work.
void Pool::help(Lock& lock) {
  Team& team = *team_;
  const size_t member = team.join();
  if (member + 1 == team.members()) team_ = nullptr;  // full
  ++working_;
  lock.unlock();
  team.help(member, [&] { return waiting_.load(std::memory_order_relaxed) > 0; });
  lock.lock();
  --working_;
  if (has_work()) {
    work_.notify_one();
    done_.notify_all();
  }
}

// urgent_layer: in which an urgent batch was run. One a layer, so that both go on.
void Pool::between_steps(Job& job, Seat& seat, size_t layer, size_t& urgent_layer) {
  if (job.cancelled) throw Cancelled{};
  if (seat.own && Clock::now() - seat.last_poll >= kPollInterval) poll(seat);
  // an urgent batch is never parked, so parking is one level deep
  if (!job.is_urgent && urgent_waiting_ > 0 && layer != urgent_layer) {
    urgent_layer = layer;
    run_urgent(seat);
  }
}

void Pool::run_urgent(Seat& seat) {
  Lock lock(mutex_);
  if (!urgent_.empty()) run_one(*urgent_.front(), seat, lock);
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
  waiting_ = urgent_.size() + bulk_.size();
}

void Pool::forget(Job& job) {
  std::deque<Job*>& queue = job.is_urgent ? urgent_ : bulk_;
  const auto found = std::find(queue.begin(), queue.end(), &job);
  if (found != queue.end()) queue.erase(found);
  urgent_waiting_ = urgent_.size();
  waiting_ = urgent_.size() + bulk_.size();
}

std::unique_ptr<Arena> Pool::borrow_arena() {
  if (arenas_.empty()) return nullptr;
  std::unique_ptr<Arena> arena = std::move(arenas_.back());
  arenas_.pop_back();
  return arena;
}

void Pool::return_arena(std::unique_ptr<Arena> arena) {
  if (!arena || arena->bytes() > kKeptArenaBytes) return;
  const size_t bytes = arena->bytes();
  try {
    arenas_.push_back(std::move(arena));
    arena_bytes_ += bytes;
  } catch (const std::bad_alloc&) {
    // no room to keep it: the next batch makes its own
  }
}

}  // namespace gtekit
