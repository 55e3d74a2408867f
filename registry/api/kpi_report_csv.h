#pragma once

#include <string>

#include "registry/services/ledger/report.h"

namespace mendel::registry::api {

// The report as CSV (RFC 4180): a row for each KPI, and one for each of its parts, which
// has its key. Texts that a spreadsheet would take for a formula begin with an apostrophe.
std::string csv_of(const Report& report);

}  // namespace mendel::registry::api
