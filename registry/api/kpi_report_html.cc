#include "registry/api/kpi_report_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "registry/api/kpi_chart.h"
#include "registry/services/ledger/report_text.h"
#include "storage/base/clock.h"

namespace mendel::registry::api {

namespace {

constexpr std::size_t kPartsShownMax = 40;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light; }
* { box-sizing: border-box; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0; background: #f4f6f8; color: #1f2933;
  font: 14px/1.5 "Helvetica Neue", Arial, "Liberation Sans", sans-serif; }
main { max-width: 920px; margin: 28px auto; padding: 40px 48px 32px; background: #fff;
  border: 1px solid #dfe4ea; border-radius: 6px; }
header { border-bottom: 3px solid #14506a; padding-bottom: 14px; margin-bottom: 22px; }
h1 { margin: 0 0 4px; font-size: 25px; line-height: 1.25; color: #14506a; }
header p { margin: 0; color: #52606d; }
h2 { margin: 0; font-size: 17px; line-height: 1.35; color: #14506a; }
h2 .id { color: #7b8794; font-weight: 500; margin-right: 8px; }
h3 { margin: 14px 0 4px; font-size: 12px; letter-spacing: .04em; text-transform: uppercase;
  color: #52606d; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-size: 12px; color: #52606d; font-weight: 600;
  border-bottom: 1.5px solid #9aa5b1; padding: 6px 10px 6px 0; vertical-align: bottom; }
td { border-bottom: 1px solid #e4e8ed; padding: 8px 10px 8px 0; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
.narrow { white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.summary td:first-child { font-weight: 600; white-space: nowrap; }
.summary .value { font-weight: 600; }
.bar { height: 7px; min-width: 92px; margin-top: 4px; background: #e4e8ed;
  border-radius: 4px; overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: 4px; background: #1f6f8b; }
.bar.reached i { background: #2d7d46; }
.bar.missed i { background: #b7410e; }
section { margin-top: 30px; padding-top: 18px; border-top: 1px solid #cbd2d9; }
section > p { margin: 4px 0 10px; }
.facts { display: flex; flex-wrap: wrap; gap: 6px 30px; margin: 10px 0 12px; padding: 0; }
.facts div { min-width: 90px; }
.facts dt { font-size: 11px; color: #7b8794; }
.facts dd { margin: 0; font-weight: 600; }
.parts { width: auto; min-width: 62%; }
.parts td { padding-top: 4px; padding-bottom: 4px; }
.parts .bar { margin-top: 7px; min-width: 150px; }
.evidence { margin: 0; padding-left: 18px; font-size: 12.5px; columns: 2; column-gap: 28px; }
.evidence.few { columns: 1; }
.evidence li { overflow-wrap: anywhere; break-inside: avoid; }
a { color: #14506a; }
.note { color: #52606d; font-size: 12.5px; }
footer { margin-top: 34px; padding-top: 12px; border-top: 3px solid #14506a; color: #52606d;
  font-size: 12px; }
footer p { margin: 3px 0; }
code { font: 11px/1.4 "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
@media (max-width: 700px) { main { margin: 0; padding: 20px 16px; border: 0; } }
@page { size: A4; margin: 15mm 14mm 16mm; }
@media print {
  body { background: #fff; font-size: 10.5pt; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
    tr, li, .facts, h2, h3, .chart { break-inside: avoid; }
  .lead { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  a { color: inherit; text-decoration: none; }
  .evidence { columns: 1; font-size: 8.5pt; }
  .summary td { font-size: 9.5pt; }
}
)css";

std::string bar(double part, std::string_view kind) {
  return fmt::format("<div class=\"bar {}\"><i style=\"width:{:.1f}%\"></i></div>", kind,
                     std::clamp(part, 0.0, 1.0) * 100);
}

std::string_view bar_kind(const KpiReport& kpi) {
  const bool is_limit = kpi.definition.direction == KpiDefinition::Direction::at_most;
  if (kpi.is_reached()) return is_limit ? "kept" : "reached";
  return is_limit ? "missed" : "under-way";
}

// The first cells of the report's table, with a bar below what is completed; the others are
// facts of the sections.
std::string summary(const Report& report) {
  constexpr std::array<std::string_view, 5> kKinds{"narrow", "text", "narrow", "value",
                                                   "completed"};
  const ReportTable table = table_of(report);
  std::string html = "<table class=\"summary\">\n<thead><tr>";
  for (std::size_t column = 0; column < kKinds.size(); ++column) {
    html += fmt::format("<th>{}</th>", html_escaped(table.headings[column]));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    html += "<tr>";
    for (std::size_t column = 0; column < kKinds.size(); ++column) {
      html += fmt::format("<td class=\"{}\">{}", kKinds.at(column),
                          html_escaped(table.rows[row][column]));
      if (column + 1 == kKinds.size()) {
        html += bar(report.kpis[row].completed(), bar_kind(report.kpis[row]));
      }
      html += "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

std::string fact(std::string_view name, std::string_view text) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html_escaped(text));
}

std::string facts(const Report& report, const KpiReport& kpi) {
  const KpiDefinition& definition = kpi.definition;
  std::string html = "<dl class=\"facts\">\n";
  html += fact("value", value_text(kpi));
  html += fact("threshold", threshold_text(definition));
  html += fact("completed", completed_text(kpi));
  if (definition.deadline) html += fact("deadline", date_text(*definition.deadline));
  if (kpi.pace) html += fact("needed pace", pace_text(kpi));
  if (kpi.change) {
    const auto day = std::chrono::floor<std::chrono::days>(report.previous->at);
    html += fact("since report of " + date_text(day), change_text(kpi));
  }
  html += fact("entries", std::to_string(kpi.entries));
  const auto resource = [&html](std::string_view name, const Amount& amount,
                                std::string_view unit) {
    if (!amount.is_zero()) html += fact(name, quantity_text(amount.to_double(), unit));
  };
  constexpr double kSecondsOfHour = 3600;
  if (!kpi.cpu_seconds.is_zero()) {
    html +=
        fact("CPU time", quantity_text(kpi.cpu_seconds.to_double() / kSecondsOfHour, "h"));
  }
  if (!kpi.gpu_seconds.is_zero()) {
    html +=
        fact("GPU time", quantity_text(kpi.gpu_seconds.to_double() / kSecondsOfHour, "h"));
  }
  resource("energy", kpi.energy_kwh, "kWh");
  return html + "</dl>\n";
}

std::string parts(const Report& report, const KpiReport& kpi) {
  if (kpi.parts.empty()) return "";
  double largest = 0;
  for (const ReportPart& part : kpi.parts) {
    largest = std::max(largest, part.value.to_double());
  }
  std::string html = fmt::format(
      "<h3>By {0}</h3>\n<table class=\"parts\">\n<thead><tr><th>{0}</th>"
      "<th class=\"number\">{1}</th><th class=\"number\">entries</th><th></th></tr></thead>"
      "\n<tbody>\n",
      html_escaped(report.by), html_escaped(value_heading(kpi)));
  const std::size_t shown = std::min(kpi.parts.size(), kPartsShownMax);
  for (std::size_t at = 0; at < shown; ++at) {
    const ReportPart& part = kpi.parts[at];
    const double value = part.value.to_double();
    html += fmt::format(
        "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td>"
        "</tr>\n",
        html_escaped(part_text(part)), quantity_text(value), part.entries,
        largest > 0 ? bar(value / largest, "") : "");
  }
  html += "</tbody>\n</table>\n";
  const std::size_t left_out = kpi.parts.size() - shown + kpi.parts_left_out;
  if (left_out > 0) html += fmt::format("<p class=\"note\">and {} more</p>\n", left_out);
  return html;
}

// A link that a browser may follow; what it would run instead stays text.
std::string link(const std::string& url) {
  const std::string text = html_escaped(url);
  if (!url.starts_with("https://") && !url.starts_with("http://")) return text;
  return fmt::format("<a href=\"{0}\" rel=\"noreferrer\">{0}</a>", text);
}

std::string evidence(const KpiReport& kpi) {
  if (kpi.evidence.empty()) return "";
  constexpr std::size_t kFew = 6;
  std::string html = fmt::format("<h3>Evidence</h3>\n<ul class=\"evidence{}\">\n",
                                 kpi.evidence.size() <= kFew ? " few" : "");
  for (const std::string& url : kpi.evidence) html += "<li>" + link(url) + "</li>\n";
  html += "</ul>\n";
  if (kpi.evidence.size() == KpiReport::kLinksMax) {
    html +=
        fmt::format("<p class=\"note\">the latest {} links</p>\n", KpiReport::kLinksMax);
  }
  return html;
}

std::string section(const Report& report, const KpiReport& kpi) {
  const KpiDefinition& definition = kpi.definition;
  std::string html = fmt::format(
      "<section>\n<div class=\"lead\">\n<h2><span class=\"id\">{}</span>{}</h2>\n",
      html_escaped(definition.id), html_escaped(definition.title));
  if (!definition.description.empty()) {
    html += fmt::format("<p>{}</p>\n", html_escaped(definition.description));
  }
  html += facts(report, kpi);
  html += chart_of(kpi, report.until) + "</div>\n";
  html += parts(report, kpi);
  return html + evidence(kpi) + "</section>\n";
}

std::string footer(const Report& report) {
  std::string html = "<footer>\n";
  html += fmt::format(
      "<p>Counted from a ledger in which entries are only added, each with a hash over all "
      "before it. This report follows from its first {} entries, up to batch {}; the hash "
      "over them is</p>\n<p><code>{}</code></p>\n",
      report.chain.entry_count, report.chain.sequence, report.chain.hash.to_string());
  if (report.previous && report.previous->digest) {
    html += fmt::format(
        "<p>Changes are counted from the sealed report</p>\n"
        "<p><code>{}</code></p>\n",
        report.previous->digest->to_string());
  }
  html += "<p>Definitions:";
  std::string_view between = " ";
  for (const KpiReport& kpi : report.kpis) {
    html += fmt::format("{}{} revision {}", between, html_escaped(kpi.definition.id),
                        kpi.definition.revision);
    between = ", ";
  }
  return html + ".</p>\n</footer>\n";
}

}  // namespace

std::string html_of(const Report& report) {
  const std::string subtitle = fmt::format("What happened until {}, as known on {}.",
                                           time_text(report.until), time_text(report.at));
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Key performance indicators, "
      "{}</title>\n<style>{}{}</style>\n</head>\n<body>\n"
      "<main>\n<header>\n<h1>Key performance indicators</h1>\n<p>{}</p>\n</header>\n",
      time_text(report.until), kStyle, kChartStyle, subtitle);
  html += summary(report);
  for (const KpiReport& kpi : report.kpis) html += section(report, kpi);
  return html + footer(report) + "</main>\n</body>\n</html>\n";
}

}  // namespace mendel::registry::api
