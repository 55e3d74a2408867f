#include "registry/services/ledger/report.h"

namespace mendel::registry {

bool KpiReport::is_reached() const {
  const double value_now = value.to_double();
  return definition.direction == KpiDefinition::Direction::at_least
             ? value_now >= definition.threshold
             : value_now <= definition.threshold;
}

double KpiReport::completed() const { return value.to_double() / definition.threshold; }

}  // namespace mendel::registry
