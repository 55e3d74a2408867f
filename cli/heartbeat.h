#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "cli/api_client.h"

namespace mendel::cli {

// Signs of life of a run, from a thread of its own. A server that is away is tried again
// sooner, and said to be away once, on standard error; a run that has ended has no more.
class Heartbeat {
 public:
  Heartbeat(ServerAccess access, std::string run, std::chrono::seconds period);
  ~Heartbeat();

  // At once, as after a time in which we were stopped.
  void beat_now();

 private:
  void beat_until_stopped(std::stop_token stop);
  bool beat();  // false: there is no use in another

  ApiClient server_;
  const std::string run_;
  const std::chrono::seconds period_;
  bool is_away_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool due_ = false;
  std::jthread thread_;
};

}  // namespace mendel::cli
