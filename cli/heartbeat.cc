#include "cli/heartbeat.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/run_recorder.h"

namespace mendel::cli {

namespace {

constexpr std::chrono::seconds kPauseAfterFailure{10};

}  // namespace

Heartbeat::Heartbeat(ServerAccess access, std::string run, std::chrono::seconds period)
    : server_(std::move(access)),
      run_(std::move(run)),
      period_(period),
      thread_([this](std::stop_token stop) { beat_until_stopped(stop); }) {}

Heartbeat::~Heartbeat() {
  thread_.request_stop();
  thread_.join();
}

void Heartbeat::beat_now() {
  const std::lock_guard lock(mutex_);
  due_ = true;
  wake_.notify_all();
}

void Heartbeat::beat_until_stopped(std::stop_token stop) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto pause = is_away_ ? std::min(period_, kPauseAfterFailure) : period_;
      wake_.wait_for(lock, stop, pause, [&] { return due_; });
      due_ = false;
    }
    if (stop.stop_requested() || !beat()) return;
  }
}

bool Heartbeat::beat() {
  try {
    server_.post(run_path(run_) + "/heartbeat", Json::object());
    if (is_away_) fmt::print(stderr, "mendel: the server is back\n");
    is_away_ = false;
    return true;
  } catch (const Error& error) {
    const bool transient =
        is_transient(error.code()) || error.code() == ErrorCode::internal;
    if (!is_away_) {
      fmt::print(stderr, "mendel: no heartbeat of run {}: {}; the command goes on\n", run_,
                 error.what());
    }
    is_away_ = true;
    return transient;
  }
}

}  // namespace mendel::cli
