#include "cli/agent/lease_keeper.h"

#include "cli/run_recorder.h"

namespace mendel::cli {

namespace {

constexpr int kBeatsPerLease = 3;
constexpr std::chrono::seconds kPauseWhileAway{2};

// What the server says to a token that is worth nothing any more, or of a job that is gone.
bool means_lost(ErrorCode code) {
  return code == ErrorCode::already_exists || code == ErrorCode::aborted ||
         code == ErrorCode::unauthenticated || code == ErrorCode::not_found;
}

}  // namespace

LeaseKeeper::LeaseKeeper(ServerAccess access, std::string job, int attempt,
                         std::chrono::seconds lease)
    : path_("/api/v1/jobs/" + percent_encode(job)),
      attempt_(attempt),
      period_(std::chrono::milliseconds(lease) / kBeatsPerLease),
      server_(std::move(access)),
      thread_([this](std::stop_token stop) { beat_until_stopped(stop); }) {}

LeaseKeeper::~LeaseKeeper() {
  thread_.request_stop();
  thread_.join();
}

void LeaseKeeper::tell_running() {
  is_running_ = true;
  const std::lock_guard lock(mutex_);
  due_ = true;
  wake_.notify_all();
}

void LeaseKeeper::keep_run(const std::string& run) {
  const std::lock_guard asking(asking_);
  run_ = run;
}

void LeaseKeeper::require() const {
  if (!is_lost_) return;
  const std::lock_guard lock(mutex_);
  throw LeaseLost(why_lost_);
}

void LeaseKeeper::require_now() {
  beat();
  require();
}

void LeaseKeeper::beat_until_stopped(std::stop_token stop) {
  while (!stop.stop_requested() && !is_lost_) {
    beat();
    std::unique_lock lock(mutex_);
    const std::chrono::milliseconds pause =
        is_away_ ? std::min<std::chrono::milliseconds>(period_, kPauseWhileAway) : period_;
    wake_.wait_for(lock, stop, pause, [&] { return due_; });
    due_ = false;
  }
}

void LeaseKeeper::beat() {
  const std::lock_guard asking(asking_);
  Json body = {{"attempt", attempt_}};
  if (is_running_) body["state"] = "running";
  try {
    const Json answer = server_.ask(path_ + "/heartbeat", body);
    if (answer.value("cancel", false)) is_cancelled_ = true;
    is_away_ = false;
    beat_run();
  } catch (const Error& error) {
    if (!means_lost(error.code())) {
      is_away_ = true;
      return;
    }
    const std::lock_guard lock(mutex_);
    why_lost_ = error.what();
    is_lost_ = true;
  }
}

// Of less weight: what keeps the attempt alive is the job's.
void LeaseKeeper::beat_run() {
  if (run_.empty()) return;
  try {
    server_.ask(run_path(run_) + "/heartbeat", Json::object());
  } catch (const Error&) {
  }
}

}  // namespace mendel::cli
