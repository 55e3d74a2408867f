#pragma once

#include <atomic>
#include <chrono>

#include "storage/base/clock.h"

namespace mendel::testing {

// A clock that stands still until it is told to move. Any thread.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}

  Timestamp now() const override { return now_; }
  void advance(std::chrono::microseconds by) { now_ = now_.load() + by; }

 private:
  std::atomic<Timestamp> now_;
};

}  // namespace mendel::testing
