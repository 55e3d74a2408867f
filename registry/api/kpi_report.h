#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "registry/api/message.h"
#include "registry/api/request.h"
#include "registry/services/services.h"

namespace mendel::registry::api {

// The report, made anew: as JSON, or in the format that ?format= or Accept ask for.
Response get_kpi_report(const Request& request, Services& services);

enum class ReportFormat { json, markdown, csv, html };

// What ?format= says; without it, the first type of an Accept header that there is a format
// for; otherwise JSON. Throws invalid_argument for a format that there is not.
ReportFormat report_format(std::optional<std::string_view> format,
                           std::optional<std::string_view> accept);

}  // namespace mendel::registry::api
