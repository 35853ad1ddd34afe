#include "team.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "test.h"

using namespace gtekit;

namespace {

// Helpers that join a team, stay for a while, leave, and come again until all its places were taken once.
class Helpers {
 public:
  Helpers(Team& team, size_t count) : team_(team) {
    for (size_t i = 0; i < count; ++i) threads_.emplace_back([this, i] { come_and_go(i); });
  }
  ~Helpers() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void come_and_go(size_t seed) {
    std::mt19937 generator(static_cast<unsigned>(seed));
    while (true) {
      size_t member;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        // closed before it is counted: whoever joins after close() would be waited for by nobody
        member = is_over ? 0 : team_.join();
      }
      if (member == 0) return;
      size_t looks = generator() % 2'000;
      team_.help(member, [&] { return looks-- == 0; });
    }
  }

 public:
  void end() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_over = true;
    }
    team_.close();
  }

 private:
  Team& team_;
  std::mutex mutex_;
  bool is_over = false;
  std::vector<std::thread> threads_;
};

}  // namespace

// A helper that took a part of one stage while the next was being set up ran that part twice, or one of no stage.
TEST(every_part_of_every_stage_runs_once_while_helpers_come_and_go) {
  constexpr size_t kStages = 30'000, kMostParts = 17;
  for (size_t count = 1; count <= 8; ++count) {
    const size_t members = 400 * count + 1;
    Team team(members);
    std::vector<std::atomic<int>> at_work(members);
    std::atomic<int> doubles{0};
    Helpers helpers(team, count);
    for (size_t stage = 0; stage < kStages; ++stage) {
      const size_t parts = stage % kMostParts + 1;
      std::vector<std::atomic<int>> runs(parts);
      team.for_each(parts, [&](size_t part, size_t member) {
        if (++at_work[member] != 1) ++doubles;
        ++runs[part];
        --at_work[member];
      });
      for (size_t part = 0; part < parts; ++part) CHECK(runs[part] == 1, count, stage, part, runs[part].load());
    }
    helpers.end();
    CHECK(doubles == 0, count, doubles.load());
  }
}

TEST(helpers_do_take_parts) {
  Team team(100'001);  // a place is given once: these two do not run out of them before the first stage
  Helpers helpers(team, 2);
  std::atomic<bool> helped{false};
  // parts that take their time, 20 seconds in all: also under an emulator or a sanitizer a helper has its turn
  for (int stage = 0; stage < 2'500 && !helped; ++stage) {
    team.for_each(8, [&](size_t, size_t member) {
      if (member > 0) helped = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  helpers.end();
  CHECK(helped);
}

TEST(what_a_stage_wrote_is_there_for_the_next) {
  Team team(5);
  Helpers helpers(team, 4);
  constexpr size_t kParts = 8;
  size_t values[kParts] = {};  // not atomic: that for_each returned has to be enough
  for (size_t stage = 0; stage < 2'000; ++stage) {
    team.for_each(kParts, [&](size_t part, size_t) { values[part] += stage; });
    const size_t first = values[0];
    team.for_each(kParts, [&](size_t part, size_t) { values[part] += values[part] == first ? 1 : 1'000'000'000; });
  }
  helpers.end();
  for (size_t value : values) CHECK(value == 2'000 * 1'999 / 2 + 2'000, value);
}

TEST(a_team_of_one_runs_its_parts_in_order) {
  Team team(1);
  CHECK(team.join() == 0);
  std::vector<size_t> order;
  team.for_each(5, [&](size_t part, size_t member) {
    CHECK(member == 0, member);
    order.push_back(part);
  });
  CHECK(order == std::vector<size_t>({0, 1, 2, 3, 4}));
}

TEST(a_stage_of_no_parts_runs_nothing) {
  for (const size_t members : {1u, 2u}) {
    Team team(members);
    team.for_each(0, [&](size_t, size_t) { CHECK(false, members); });
  }
}

TEST(places_are_given_once_until_the_team_is_full) {
  Team team(3);
  CHECK(team.join() == 1);
  CHECK(team.join() == 2);
  CHECK(team.join() == 0);
  std::thread first([&] { team.help(1, [] { return true; }); });
  std::thread second([&] { team.help(2, [] { return true; }); });
  team.close();
  first.join();
  second.join();
}

TEST(close_waits_until_the_last_helper_has_left) {
  Team team(2);
  const size_t member = team.join();
  std::atomic<bool> came{false}, is_inside{false};
  std::thread helper([&] {
    team.help(member, [&] {
      is_inside = true;
      came = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      is_inside = false;
      return false;
    });
  });
  while (!came) std::this_thread::yield();
  team.close();
  CHECK(!is_inside);
  helper.join();
}

int main() { return test::run_all(); }
