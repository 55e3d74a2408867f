#pragma once

#include <string>

#include "registry/services/ledger/report.h"

namespace mendel::registry::api {

// The report as one page that needs nothing else: no script, no file, no connection.
std::string html_of(const Report& report);

}  // namespace mendel::registry::api
