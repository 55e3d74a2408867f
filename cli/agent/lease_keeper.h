#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "cli/api_client.h"

namespace mendel::cli {

// The attempt belongs to somebody else, or to nobody, now: what it made is worth nothing.
class LeaseLost : public Error {
 public:
  explicit LeaseLost(const std::string& why) : Error(ErrorCode::aborted, why) {}
};

// Keeps the lease of an attempt by signs of life from a thread of its own, and its run's
// with them. A server that is away is asked again until it is back: only its own word ends
// the lease, for it may have been down itself. Any thread.
class LeaseKeeper {
 public:
  LeaseKeeper(ServerAccess access, std::string job, int attempt,
              std::chrono::seconds lease);
  ~LeaseKeeper();

  // From now on it is told that the command runs.
  void tell_running();

  // From now on the run lives as well.
  void keep_run(const std::string& run);

  // Throws LeaseLost if it is.
  void require() const;

  // Asks the server now. For a request that was refused: whether because the lease is lost.
  void require_now();

  bool is_lost() const { return is_lost_; }
  bool is_away() const { return is_away_; }
  bool is_cancelled() const { return is_cancelled_; }  // somebody asked for the job's end

 private:
  void beat_until_stopped(std::stop_token stop);
  void beat();
  void beat_run();

  const std::string path_;
  const int attempt_;
  const std::chrono::milliseconds period_;
  std::atomic<bool> is_running_ = false;
  std::atomic<bool> is_lost_ = false;
  std::atomic<bool> is_away_ = false;
  std::atomic<bool> is_cancelled_ = false;
  std::mutex asking_;  // of the server
  ApiClient server_;
  std::string run_;
  mutable std::mutex mutex_;
  std::string why_lost_;
  std::condition_variable_any wake_;
  bool due_ = false;
  std::jthread thread_;
};

}  // namespace mendel::cli
