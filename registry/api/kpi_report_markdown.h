#pragma once

#include <string>

#include "registry/services/ledger/report.h"

namespace mendel::registry::api {

// The report as Markdown with tables: of all KPIs, of the parts of each, and the evidence.
std::string markdown_of(const Report& report);

}  // namespace mendel::registry::api
