#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/pace.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// A part of a KPI's value: of one model, month, or value of a subject key. Of a KPI that
// counts distinct values, the parts may add up to more than the whole.
struct ReportPart {
  std::string key;  // empty: entries without it
  Amount value;
  std::int64_t entries = 0;
};

// What the value had come to at the end of a day.
struct ReportPoint {
  std::chrono::sys_days day;
  Amount value;

  friend bool operator==(const ReportPoint&, const ReportPoint&) = default;
};

// One KPI of a report. Values are in units.
struct KpiReport {
  static constexpr std::size_t kPartsMax = 1000;
  static constexpr std::size_t kLinksMax = 100;
  static constexpr std::size_t kPointsMax = 400;

  KpiDefinition definition;  // the one in force at the report's time
  Amount value;
  std::int64_t entries = 0;  // that count; one that was corrected to 0 does not
  Amount cpu_seconds, gpu_seconds, energy_kwh;
  std::optional<Amount> change;  // since the report before; absent: it did not have the KPI
  std::optional<Pace> pace;
  std::vector<ReportPart> parts;  // months in order, others with the largest first
  std::size_t parts_left_out = 0;
  std::vector<std::string> evidence;
  std::vector<ReportPoint> series;  // days on which the value changed, thinned out

  bool is_reached() const;
  double completed() const;  // 1: just reached
};

// What a change is counted from: an earlier report, sealed if it has a digest.
struct PreviousReport {
  Timestamp at;
  Timestamp until;
  std::optional<Digest> digest;
};

// What the ledger says about KPIs: of what happened until a time, as known at a time.
struct Report {
  Timestamp at;
  Timestamp until;
  std::string by;  // what the parts are: "model", "month", a subject key; empty: none
  ChainHead chain;
  std::optional<PreviousReport> previous;
  std::vector<KpiReport> kpis;
};

}  // namespace mendel::registry
