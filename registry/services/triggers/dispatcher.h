#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "registry/services/change_feed.h"
#include "registry/services/triggers/event_delivery.h"
#include "registry/services/triggers/trigger_times.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// A thread that tells events to triggers: at once where this server made them, and within a
// tenth of a second where another did. Of all servers one leads and does so; another takes
// over within two seconds after its last sign of life. That nothing happens twice does not
// hang on it (EventDelivery). Started and stopped by its owner.
class TriggerDispatcher {
 public:
  TriggerDispatcher(schema::Database& database, ChangeFeed& changes, AccessService& access,
                    JobMaking& jobs, const Clock& clock);

  void start();
  void stop();  // gives the lead to whoever wants it

  // What the thread does over and over, by whoever calls it: all that is to be done now.
  void work();

 private:
  using SteadyClock = std::chrono::steady_clock;

  void run(std::stop_token stop);
  void tell_all(const std::function<bool()>& may_go_on);
  bool leads();
  void prune();
  void wait(std::stop_token stop);

  schema::Database& database_;
  const Clock& clock_;
  EventDelivery delivery_;
  TriggerTimes times_;
  const std::string holder_;  // of the lead: this dispatcher, and no other

  // The thread's own.
  bool leads_ = false;
  std::optional<SteadyClock::time_point> asked_at_;  // who leads
  std::optional<SteadyClock::time_point> pruned_at_;
  bool away_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  bool is_woken_ = false;

  std::jthread thread_;
};

}  // namespace mendel::registry
