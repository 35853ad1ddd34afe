#include "pool.h"

#include <algorithm>
#include <stdexcept>

#include "test.h"

using namespace gtekit;

namespace {

// A job whose batches look up between `layers` layers, as a forward pass does.
struct Layered : Job {
  Layered(size_t batches, size_t layers, const std::function<void(size_t batch)>& per_layer) {
    num_batches = batches;
    run = [=](size_t batch, Arena&, Team&, const BetweenSteps& between_steps) {
      for (size_t layer = 0; layer < layers; ++layer) {
        between_steps(layer);
        per_layer(batch);
      }
    };
  }
};

// A job of one batch that runs stages of parts until `enough` says so or ten seconds have passed.
struct Staged : Job {
  Staged(const std::function<bool()>& enough, const std::function<void(size_t part, size_t member)>& body) {
    num_batches = 1;
    run = [=](size_t, Arena&, Team& team, const BetweenSteps& between_steps) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      for (size_t layer = 0; !enough() && std::chrono::steady_clock::now() < end; ++layer) {
        between_steps(layer);
        team.for_each(8, body);
      }
    };
  }
};

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

}  // namespace

TEST(every_batch_runs_once) {
  for (size_t threads = 1; threads <= 4; ++threads) {
    Pool pool(threads);
    for (size_t batches : {1u, 2u, 7u, 100u}) {
      std::vector<std::atomic<int>> runs(batches);
      Layered job(batches, 1, [&](size_t batch) { ++runs[batch]; });
      pool.run(job);
      for (auto& count : runs) CHECK(count == 1, threads, batches, count.load());
    }
  }
}

TEST(no_more_than_the_allowed_threads_work_at_once) {
  Pool pool(2);
  std::atomic<int> now{0}, most{0};
  const auto caller = [&] {
    Layered job(20, 2, [&](size_t) {
      const int current = ++now;
      int seen = most;
      while (current > seen && !most.compare_exchange_weak(seen, current)) {
      }
      nap();
      --now;
    });
    pool.run(job);
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(caller);
  for (std::thread& thread : callers) thread.join();
  CHECK(most <= 2, most.load());
}

TEST(callers_at_once_each_get_their_own_batches) {
  Pool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        std::atomic<size_t> sum{0};
        Layered job(9, 3, [&](size_t batch) { sum += batch; });
        pool.run(job);
        if (sum != 3 * 36) ++wrong;
      }
    });
  }
  for (std::thread& thread : callers) thread.join();
  CHECK(wrong == 0, wrong.load());
}

TEST(what_a_batch_throws_reaches_the_caller_and_the_pool_goes_on) {
  Pool pool(2);
  Layered bad(50, 1, [](size_t batch) {
    if (batch == 3) throw std::runtime_error("batch three");
  });
  CHECK_THROWS(std::runtime_error, "batch three", pool.run(bad));
  std::atomic<int> runs{0};
  Layered good(5, 1, [&](size_t) { ++runs; });
  pool.run(good);
  CHECK(runs == 5);
}

TEST(a_long_batch_runs_an_urgent_one_within_a_layer_and_no_second_one_before_the_next) {
  Pool pool(1);
  std::atomic<int> done{0};
  std::vector<std::thread> callers;
  const auto submit = [&] {
    callers.emplace_back([&] {
      Layered urgent(1, 1, [](size_t) {});
      urgent.is_urgent = true;
      pool.run(urgent);
      ++done;
    });
  };
  Job job;
  job.num_batches = 1;
  job.run = [&](size_t, Arena&, Team&, const BetweenSteps& between_steps) {
    submit();
    for (int step = 0; step < 10'000 && done < 1; ++step) between_steps(0), nap();
    CHECK(done == 1, done.load());
    submit();
    for (int step = 0; step < 50; ++step) between_steps(0), nap();
    CHECK(done == 1, done.load());
    for (size_t layer = 1; layer < 10'000 && done < 2; ++layer) between_steps(layer), nap();
    CHECK(done == 2, done.load());
  };
  pool.run(job);
  for (std::thread& caller : callers) caller.join();
}

TEST(a_poll_that_throws_ends_the_job_between_two_layers) {
  for (size_t threads : {1u, 2u}) {
    Pool pool(threads);
    std::atomic<int> layers{0};
    Layered job(1000, 1000, [&](size_t) {
      ++layers;
      nap();
    });
    job.poll = [] { throw std::runtime_error("enough"); };
    CHECK_THROWS(std::runtime_error, "enough", pool.run(job));
    CHECK(layers < 2000, layers.load());  // of a million
  }
}

TEST(an_urgent_batch_overtakes_a_long_one_that_is_under_way) {
  Pool pool(1);
  std::atomic<bool> started{false}, urgent_done{false};
  std::atomic<bool> overtook{false};
  Layered slow(1, 500, [&](size_t) {
    started = true;
    if (urgent_done) overtook = true;  // the long batch still had layers to go
    nap();
  });
  std::thread bulk([&] { pool.run(slow); });
  while (!started) nap();
  Layered quick(1, 3, [](size_t) {});
  quick.is_urgent = true;
  pool.run(quick);
  urgent_done = true;
  bulk.join();
  CHECK(overtook);
}

TEST(a_cancelled_job_does_not_take_another_with_it) {
  Pool pool(2);
  std::atomic<int> finished{0};
  Layered patient(40, 5, [&](size_t) { nap(); });
  std::thread other([&] {
    pool.run(patient);
    ++finished;
  });
  Layered doomed(1000, 1000, [](size_t) { nap(); });
  doomed.poll = [] { throw std::runtime_error("stop"); };
  CHECK_THROWS(std::runtime_error, "stop", pool.run(doomed));
  other.join();
  CHECK(finished == 1);
}

TEST(a_poll_may_call_the_pool_that_it_is_polled_for) {
  for (size_t threads : {1u, 2u}) {
    Pool pool(threads);
    std::atomic<int> inner_runs{0}, polls{0};
    Layered outer(2, 200, [&](size_t) { nap(); });
    outer.poll = [&] {
      if (++polls > 1) return;
      Layered inner(3, 2, [&](size_t) { ++inner_runs; });
      pool.run(inner);
    };
    pool.run(outer);
    CHECK(polls >= 1 && inner_runs == 6, threads, polls.load(), inner_runs.load());
  }
}

TEST(a_long_job_gets_its_share_under_unbroken_urgent_ones) {
  Pool pool(1);
  std::atomic<bool> bulk_done{false};
  std::vector<std::thread> impatient;
  std::atomic<int> urgent_runs{0};
  for (int i = 0; i < 3; ++i) {
    impatient.emplace_back([&] {
      while (!bulk_done && urgent_runs < 100000) {
        Layered quick(1, 1, [&](size_t) { ++urgent_runs; });
        quick.is_urgent = true;
        pool.run(quick);
      }
    });
  }
  Layered slow(20, 10, [](size_t) {});
  pool.run(slow);
  bulk_done = true;
  for (std::thread& thread : impatient) thread.join();
  CHECK(urgent_runs < 100000, urgent_runs.load());
}

TEST(a_batch_that_is_alone_gets_helpers) {
  for (const size_t threads : {2u, 4u, 12u}) {
    Pool pool(threads);
    const size_t members = std::min(threads, size_t{8});
    std::vector<std::atomic<bool>> came(members);
    const auto all_came = [&] { return std::all_of(came.begin(), came.end(), [](auto& has) { return has.load(); }); };
    Staged job(all_came, [&](size_t, size_t member) {
      came[member] = true;
      std::this_thread::yield();
    });
    pool.run(job);
    CHECK(all_came(), threads);
  }
}

TEST(several_batches_and_a_pool_of_one_get_no_helpers) {
  for (const size_t threads : {1u, 4u}) {
    Pool pool(threads);
    std::atomic<size_t> most_members{0};
    Job job;
    job.num_batches = threads == 1 ? 1 : 5;
    job.run = [&](size_t, Arena&, Team& team, const BetweenSteps&) {
      if (team.members() > most_members) most_members = team.members();
    };
    pool.run(job);
    CHECK(most_members == 1, threads, most_members.load());
  }
}

TEST(helpers_leave_when_there_is_other_work) {
  Pool pool(2);
  std::atomic<bool> helped{false}, other_done{false}, was_in_time{false};
  Staged alone([&] { return other_done.load(); },
               [&](size_t, size_t member) {
                 if (member > 0) helped = true;
                 std::this_thread::yield();
               });
  std::thread caller([&] {
    pool.run(alone);
    was_in_time = other_done.load();
  });
  while (!helped) nap();  // both seats are taken now
  Layered other(6, 2, [](size_t) {});
  pool.run(other);
  other_done = true;
  caller.join();
  CHECK(was_in_time);
}

TEST(no_more_than_the_allowed_threads_work_at_once_helpers_among_them) {
  Pool pool(3);
  std::atomic<int> now{0}, most{0};
  const auto caller = [&] {
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> stages{0};
      Staged job([&] { return ++stages > 20; },
                 [&](size_t, size_t) {
                   const int current = ++now;
                   int seen = most;
                   while (current > seen && !most.compare_exchange_weak(seen, current)) {
                   }
                   std::this_thread::yield();
                   --now;
                 });
      pool.run(job);
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(caller);
  for (std::thread& thread : callers) thread.join();
  CHECK(most <= 3, most.load());
}

TEST(callers_with_one_batch_each_run_every_part_once) {
  Pool pool(3);
  std::atomic<int> wrong{0};
  const auto caller = [&] {
    for (int round = 0; round < 200; ++round) {
      Job job;
      job.num_batches = 1;
      job.is_urgent = round % 2 == 0;
      job.run = [&](size_t, Arena&, Team& team, const BetweenSteps& between_steps) {
        for (size_t stage = 0; stage < 5; ++stage) {
          between_steps(stage);
          std::vector<std::atomic<int>> runs(9);
          team.for_each(runs.size(), [&](size_t part, size_t) { ++runs[part]; });
          for (auto& count : runs) wrong += count != 1;
        }
      };
      pool.run(job);
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(caller);
  for (std::thread& thread : callers) thread.join();
  CHECK(wrong == 0, wrong.load());
}

TEST(what_a_batch_with_helpers_throws_reaches_the_caller_and_the_pool_goes_on) {
  Pool pool(3);
  for (int round = 0; round < 50; ++round) {
    Job bad;
    bad.num_batches = 1;
    bad.run = [](size_t, Arena&, Team& team, const BetweenSteps&) {
      team.for_each(8, [](size_t, size_t) { std::this_thread::yield(); });
      throw std::runtime_error("between two stages");
    };
    CHECK_THROWS(std::runtime_error, "between two stages", pool.run(bad));
  }
  std::atomic<bool> helped{false};
  Staged good([&] { return helped.load(); },
              [&](size_t, size_t member) {
                if (member > 0) helped = true;
                std::this_thread::yield();
              });
  pool.run(good);
  CHECK(helped);
}

TEST(a_poll_that_throws_ends_a_batch_with_helpers) {
  Pool pool(2);
  Staged job([] { return false; }, [](size_t, size_t) { std::this_thread::yield(); });
  job.poll = [] { throw std::runtime_error("enough"); };
  CHECK_THROWS(std::runtime_error, "enough", pool.run(job));
}

TEST(an_arena_of_unusual_size_goes_back_to_the_system) {
  Pool pool(1);
  Job job;
  job.num_batches = 1;
  job.run = [](size_t, Arena& arena, Team&, const BetweenSteps&) { arena.reset(size_t{80} << 20); };
  pool.run(job);
  CHECK(pool.workspace_bytes() == 0, pool.workspace_bytes());
}

TEST(arenas_are_kept_and_counted) {
  Pool pool(1);
  CHECK(pool.workspace_bytes() == 0);
  for (int round = 0; round < 3; ++round) {
    Job job;
    job.num_batches = 4;
    job.run = [](size_t, Arena& arena, Team&, const BetweenSteps&) { arena.reset(4096); };
    pool.run(job);
    CHECK(pool.workspace_bytes() == 4096, pool.workspace_bytes());
  }
}

TEST(an_arena_hands_out_aligned_memory) {
  Arena arena;
  arena.reset(Arena::rounded(3 * sizeof(float)) + Arena::rounded(5 * sizeof(float)));
  float* first = arena.take<float>(3);
  float* second = arena.take<float>(5);
  CHECK(reinterpret_cast<uintptr_t>(first) % kAlignment == 0 && reinterpret_cast<uintptr_t>(second) % kAlignment == 0);
  CHECK(second - first >= 3);
}

int main() { return test::run_all(); }
