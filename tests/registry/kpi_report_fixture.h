#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/report.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::testing {

inline std::chrono::sys_days day(int year, unsigned month, unsigned day_of_month) {
  return std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day_of_month);
}

inline registry::KpiReport kpi(const std::string& id, const std::string& value,
                               double threshold) {
  registry::KpiReport kpi;
  kpi.definition.id = id;
  kpi.definition.revision = 1;
  kpi.definition.title = "About " + id;
  kpi.definition.threshold = threshold;
  kpi.value = registry::Amount::parse(value);
  return kpi;
}

// The four of the project's own report of 2024-02-13.
inline registry::Report report_of_february() {
  auto events = kpi("KPI2.2.1.1", "1000000", 1e9);
  events.definition.title = "Events from ML simulation";
  events.definition.description =
      "N_MC billion events obtained from ML-based simulation, as demonstrated by official "
      "links in experiments' simulation databases";
  events.definition.symbol = "N_MC";
  events.definition.unit = "events";
  events.definition.display_unit = "billion events";
  events.definition.display_scale = 1e9;
  events.definition.deadline = day(2025, 12, 31);
  events.entries = 1000;
  events.cpu_seconds = registry::Amount::parse("12500.5");
  events.evidence = {"https://lbfence.example.org/productions/00012", "root://eos//f.root"};
  events.series = {{day(2023, 10, 2), registry::Amount::parse("200000")},
                   {day(2023, 11, 20), registry::Amount::parse("450000")},
                   {day(2024, 1, 15), registry::Amount::parse("1000000")}};
  events.parts = {{"2016MU", registry::Amount::parse("750000"), 750},
                  {"", registry::Amount::parse("250000"), 250}};
  events.change = registry::Amount::parse("550000");

  auto experiments = kpi("KPI2.2.1.2", "3", 2);
  experiments.definition.description =
      "N_EXP experiments have tested a machine-learning based simulation";
  experiments.definition.symbol = "N_EXP";
  experiments.definition.unit = "experiments";
  experiments.definition.display_unit = "experiments";
  experiments.definition.count = registry::KpiDefinition::Count::distinct;
  experiments.definition.distinct_key = "experiment";
  experiments.entries = 3;

  auto talks = kpi("KPI2.2.1.3", "8", 3);
  talks.definition.description =
      "machine-learning use-cases tested in the context of the centre were presented at "
      "N_CONF international and national events";
  talks.definition.symbol = "N_CONF";
  talks.definition.count = registry::KpiDefinition::Count::entries;
  talks.definition.since = day(2023, 9, 1);
  talks.entries = 8;

  auto use_cases = kpi("KPI2.2.1.4", "4", 5);
  use_cases.definition.description =
      "N_UC different use-cases were tested and made available in git repositories";
  use_cases.definition.symbol = "N_UC";
  use_cases.definition.unit = "use-cases";
  use_cases.definition.display_unit = "use-cases";
  use_cases.entries = 4;

  registry::Report report;
  report.at = parse_rfc3339("2024-02-13T12:00:00Z");
  report.until = parse_rfc3339("2024-02-13");
  report.by = "campaign";
  report.chain = {.sequence = 17,
                  .entry_count = 1015,
                  .recorded_at = parse_rfc3339("2024-02-13T11:00:00Z"),
                  .hash = Digest::of("the chain")};
  report.previous = registry::PreviousReport{.at = parse_rfc3339("2023-12-31"),
                                             .until = parse_rfc3339("2023-12-31"),
                                             .digest = std::nullopt};
  events.pace = registry::pace_of(events.definition, 1e6,
                                  parse_rfc3339("2023-10-02T00:00:00Z"), report.until);
  report.kpis = {std::move(events), std::move(experiments), std::move(talks),
                 std::move(use_cases)};
  return report;
}

}  // namespace mendel::testing
