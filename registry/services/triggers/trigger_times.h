#pragma once

#include <cstddef>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Makes events of time: of schedules that are due (once, for all that was missed while no
// server ran), and of triggers that have waited long enough. The event and what the trigger
// remembers of it are one transaction. Any thread.
class TriggerTimes {
 public:
  TriggerTimes(schema::Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}

  // How many triggers' time had come.
  std::size_t record_due();

 private:
  void record(schema::Transaction& tx, std::int64_t trigger, Timestamp now);
  void put_off(std::int64_t trigger, const std::string& problem, Timestamp now);

  schema::Database& database_;
  const Clock& clock_;
};

}  // namespace mendel::registry
