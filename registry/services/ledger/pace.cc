#include "registry/services/ledger/pace.h"

#include <algorithm>
#include <chrono>

namespace mendel::registry {

namespace {

constexpr double kDaysOfMonth = 365.2425 / 12;

double days_between(Timestamp from, Timestamp to) {
  return std::chrono::duration<double, std::chrono::days::period>(to - from).count();
}

}  // namespace

std::optional<Pace> pace_of(const KpiDefinition& definition, double value,
                            std::optional<Timestamp> begin, Timestamp now) {
  if (!definition.deadline) return std::nullopt;
  if (definition.since) begin = *definition.since;
  const Timestamp end = *definition.deadline + std::chrono::days(1);

  Pace pace;
  if (now >= end) {
    pace.expected = definition.threshold;
  } else if (begin && now > *begin) {
    pace.expected =
        definition.threshold * days_between(*begin, now) / days_between(*begin, end);
  }
  const bool is_at_least = definition.direction == KpiDefinition::Direction::at_least;
  pace.is_behind = is_at_least ? value < pace.expected : value > pace.expected;
  if (now < end) {
    const double missing = std::max(0.0, definition.threshold - value);
    pace.needed_per_day = missing / std::max(days_between(now, end), 1.0);
    pace.needed_per_month = *pace.needed_per_day * kDaysOfMonth;
  }
  return pace;
}

}  // namespace mendel::registry
