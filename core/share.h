// Work of many like items, shared out among threads that live for one call.
#pragma once

#include <cstddef>
#include <functional>

namespace gtekit {

// Runs body(thread, item) once for each item up to `count`, in ascending order on each thread, on up to `threads`
// threads of which the caller is number 0. The caller asks `poll`, where there is one, after each item of its own. What
// either of them throws ends the work, and reaches the caller once all threads are gone.
void share_out(size_t threads, size_t count, const std::function<void()>& poll,
               const std::function<void(size_t thread, size_t item)>& body);

// The poll of a whole call, however many rounds of work it has: asks `poll` ten times a second at most, counted from
// now on. Empty where `poll` is. Not for several threads.
std::function<void()> spaced(std::function<void()> poll);

// Throws std::invalid_argument unless it is 1 to kMostThreads.
size_t checked_threads(size_t threads);

}  // namespace gtekit
