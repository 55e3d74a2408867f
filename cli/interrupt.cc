#include "cli/interrupt.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

std::atomic<bool> signalled = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

extern "C" void on_signal(int number) {
  signalled = true;
  std::signal(number, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
}

const std::atomic<bool>& interrupted() { return signalled; }

void throw_if_interrupted() {
  if (signalled) throw Error(ErrorCode::cancelled, "interrupted");
}

void sleep_unless_interrupted(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kLook{50};
  for (auto left = duration; left.count() > 0; left -= kLook) {
    throw_if_interrupted();
    std::this_thread::sleep_for(std::min(left, kLook));
  }
  throw_if_interrupted();
}

}  // namespace mendel::cli
