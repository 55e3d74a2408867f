#pragma once

#include <string>
#include <string_view>

#include "registry/services/ledger/report.h"
#include "storage/base/clock.h"

namespace mendel::registry::api {

// A drawing (SVG) of how a KPI's value grew against its threshold, until the report's time
// or the deadline. It needs nothing from outside but the style of its classes, which the
// page has (kChartStyle).
std::string chart_of(const KpiReport& kpi, Timestamp until);

extern const char* const kChartStyle;

// Text as HTML and SVG may have it, in quotes, too.
std::string html_escaped(std::string_view text);

}  // namespace mendel::registry::api
