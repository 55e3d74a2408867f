#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace mendel::registry {

// For a thread that looks after something every so often: until the time is over, or it is
// to stop.
template <class Rep, class Period>
void pause_unless_stopped(std::stop_token stop, std::chrono::duration<Rep, Period> time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace mendel::registry
