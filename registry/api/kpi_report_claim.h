#pragma once

#include <string_view>

#include "registry/services/ledger/report_check.h"

namespace mendel::registry::api {

// What the document of a report says, as far as it can be checked. Throws invalid_argument
// for what is no report.
ReportClaim parse_report_claim(std::string_view document);

}  // namespace mendel::registry::api
