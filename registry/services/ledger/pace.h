#pragma once

#include <optional>

#include "registry/services/ledger/definition.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Where a KPI with a deadline stands against the straight line from its beginning, where it
// is 0, to the threshold at the end of the deadline's day. In units.
struct Pace {
  double expected = 0;  // by now
  bool is_behind = false;

  // From now on, to reach the threshold in time (of a KPI that is to stay below it: what
  // may still come); absent once the time is over.
  std::optional<double> needed_per_day;
  std::optional<double> needed_per_month;
};

// nullopt: the KPI has no deadline. begin: when it began to count, where the definition
// does not say since when; nothing is expected before.
std::optional<Pace> pace_of(const KpiDefinition& definition, double value,
                            std::optional<Timestamp> begin, Timestamp now);

}  // namespace mendel::registry
