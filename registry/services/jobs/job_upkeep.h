#pragma once

#include <chrono>
#include <thread>

#include "registry/services/change_feed.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// A thread that looks after jobs about once a second: attempts whose lease is over end, and
// jobs whose time has come are admitted. Several servers may do so at once. Started and
// stopped by its owner.
//
// While no server looked after jobs no agent could say that it was alive. So after such an
// outage every lease lasts its whole time once more, and nothing ends before.
class JobUpkeep {
 public:
  JobUpkeep(schema::Database& database, ChangeFeed& changes, const Clock& clock)
      : database_(database), changes_(changes), clock_(clock) {}

  void start();
  void stop();

  // One round.
  void look_after();

  static constexpr auto kOutage = std::chrono::seconds(3);

 private:
  void run(std::stop_token stop);
  void renew_after_an_outage();
  void end_expired();
  void admit_due();
  void announce_unleased();

  schema::Database& database_;
  ChangeFeed& changes_;
  const Clock& clock_;
  bool away_ = false;  // PostgreSQL was not to be had; the thread's own
  std::jthread thread_;
};

}  // namespace mendel::registry
