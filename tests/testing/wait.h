#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace mendel::testing {

// Asks again and again until the condition holds. False after a generous limit, which only
// a failing test reaches.
inline bool eventually(const std::function<bool()>& condition) {
  constexpr auto kLimit = std::chrono::seconds(20);
  constexpr auto kPause = std::chrono::milliseconds(2);
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace mendel::testing
