#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/report.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// How a report's numbers are written for people, the same in every format. Values are cut
// off, not rounded up, and 100 % is not written of a threshold that is missed.

std::string threshold_text(const KpiDefinition& definition);  // "N_MC ≥ 1 (billion)"
std::string value_text(const KpiReport& kpi);                 // "1 M events"
std::string completed_text(const KpiReport& kpi);             // "0.1 %"
std::string change_text(const KpiReport& kpi);  // "+250 k events"; empty without one
std::string pace_text(const KpiReport& kpi);    // "41.6 M events per month, behind"

// Three digits of a number with the prefix of its size, from 10 000 on: "1.25 M".
std::string quantity_text(double value);
// The same with a unit, if that is not empty.
std::string quantity_text(double value, std::string_view unit);

// "5" for 5.0; otherwise the shortest that reads back.
std::string number_text(double value);

// "13 February 2024", and "13 February 2024, 09:30 UTC" for what is not the end of a day.
std::string date_text(std::chrono::sys_days day);
std::string time_text(Timestamp time);

// "(none)" for entries without the key.
std::string part_text(const ReportPart& part);
// What stands above the values of parts: "value (events)".
std::string value_heading(const KpiReport& kpi);

// The table of a report: a heading for each column, and its cells. The first five columns
// are always the same; the others are there where a KPI has them.
struct ReportTable {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;
};
ReportTable table_of(const Report& report);

}  // namespace mendel::registry
