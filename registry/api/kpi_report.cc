#include "registry/api/kpi_report.h"

#include <array>
#include <vector>

#include "registry/api/json.h"
#include "registry/api/kpi_report_csv.h"
#include "registry/api/kpi_report_html.h"
#include "registry/api/kpi_report_json.h"
#include "registry/api/kpi_report_markdown.h"
#include "registry/services/ledger/report.h"
#include "registry/services/ledger/report_service.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

struct FormatName {
  ReportFormat format;
  std::string_view name;
  std::string_view type;
};
constexpr std::array<FormatName, 4> kFormats{{
    {ReportFormat::json, "json", "application/json"},
    {ReportFormat::markdown, "md", "text/markdown"},
    {ReportFormat::csv, "csv", "text/csv"},
    {ReportFormat::html, "html", "text/html"},
}};

std::string_view first_part(std::string_view& list, char separator) {
  const auto end = list.find(separator);
  std::string_view part = list.substr(0, end);
  list = end == std::string_view::npos ? "" : list.substr(end + 1);
  while (part.starts_with(' ')) part.remove_prefix(1);
  while (part.ends_with(' ')) part.remove_suffix(1);
  return part;
}

std::optional<Timestamp> asked_time(const Request& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  return parse_rfc3339(*text);
}

// "KPI2.2.1.1,KPI2.2.1.2"
std::vector<std::string> asked_kpis(const Request& request) {
  std::vector<std::string> ids;
  std::string_view list = request.query("kpi").value_or("");
  while (!list.empty()) ids.emplace_back(first_part(list, ','));
  return ids;
}

ReportService::Question asked_report(const Request& request) {
  return {.at = asked_time(request, "at"),
          .until = asked_time(request, "until"),
          .by = std::string(request.query("by").value_or("")),
          .since_report = asked_time(request, "since_report"),
          .kpis = asked_kpis(request)};
}

Response text_response(std::string type, std::string text) {
  Response response;
  response.headers.set("Content-Type", type + "; charset=utf-8");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.body = std::move(text);
  return response;
}

// Nothing of the page is fetched or run, whatever texts it shows.
Response page_response(std::string page) {
  Response response = text_response("text/html", std::move(page));
  response.headers.set("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; sandbox "
                       "allow-popups allow-top-navigation-by-user-activation");
  return response;
}

Response render(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::json: return json_response(200, to_json(report));
    case ReportFormat::markdown: return text_response("text/markdown", markdown_of(report));
    case ReportFormat::csv: return text_response("text/csv", csv_of(report));
    case ReportFormat::html: return page_response(html_of(report));
  }
  throw Error(ErrorCode::internal, "a format of reports is not rendered");
}

}  // namespace

Response get_kpi_report(const Request& request, Services& services) {
  const ReportFormat format =
      report_format(request.query("format"), request.header("Accept"));
  const Report report = services.kpi_reports.make(request.caller(), asked_report(request));
  Response response = with_etag(request, render(report, format));
  response.headers.set("Vary", "Accept");
  return response;
}

ReportFormat report_format(std::optional<std::string_view> format,
                           std::optional<std::string_view> accept) {
  for (const FormatName& known : kFormats) {
    if (format == known.name) return known.format;
  }
  if (format) {
    throw Error(ErrorCode::invalid_argument, "format is json, md, csv or html");
  }
  std::string_view list = accept.value_or("");
  while (!list.empty()) {
    std::string_view entry = first_part(list, ',');
    const std::string_view type = first_part(entry, ';');
    for (const FormatName& known : kFormats) {
      if (type == known.type) return known.format;
    }
  }
  return ReportFormat::json;
}

}  // namespace mendel::registry::api
