// Work of many like items, shared out among threads that live for one call.
#pragma once

#include <cstddef>
#include <functional>

namespace gtekit {

// Runs body(thread, item) once for each item up to `count`, in ascending order on each thread, on up to `threads`
// threads of which the caller is number 0. The caller asks `poll`, where there is one, several times a second. What
// either of them throws ends the work, and reaches the caller once all threads are gone.
void share_out(size_t threads, size_t count, const std::function<void()>& poll,
               const std::function<void(size_t thread, size_t item)>& body);

// Throws std::invalid_argument unless it is 1 to kMostThreads.
size_t checked_threads(size_t threads);

}  // namespace gtekit
