#include "registry/api/kpi_report_csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/services/ledger/report_text.h"
#include "storage/base/clock.h"

namespace mendel::registry::api {

namespace {

std::string text_cell(std::string_view text) {
  std::string cell;
  const bool is_formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
  if (is_formula) cell += '\'';
  cell += text;
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string number_cell(double number) { return number_text(number); }

std::string line(const std::vector<std::string>& cells) {
  return fmt::format("{}\r\n", fmt::join(cells, ","));
}

std::vector<std::string> definition_cells(const KpiReport& kpi) {
  const KpiDefinition& definition = kpi.definition;
  const bool is_at_least = definition.direction == KpiDefinition::Direction::at_least;
  return {text_cell(definition.id),
          std::to_string(definition.revision),
          text_cell(definition.title),
          text_cell(definition.description),
          number_cell(definition.threshold),
          is_at_least ? "at-least" : "at-most",
          text_cell(threshold_text(definition)),
          text_cell(definition.unit)};
}

std::string total_line(const Report& report, const KpiReport& kpi) {
  auto cells = definition_cells(kpi);
  const bool has_pace = kpi.pace && kpi.pace->needed_per_month;
  for (std::string cell :
       {std::string(), std::string(), kpi.value.text(), text_cell(value_text(kpi)),
        number_cell(std::round(kpi.completed() * 1000) / 10),
        text_cell(completed_text(kpi)), std::string(kpi.is_reached() ? "true" : "false"),
        kpi.change ? kpi.change->text() : std::string(),
        has_pace ? number_cell(*kpi.pace->needed_per_month) : std::string(),
        std::to_string(kpi.entries), format_rfc3339(report.until),
        format_rfc3339(report.at),
        text_cell(fmt::format("{}", fmt::join(kpi.evidence, " ")))}) {
    cells.push_back(std::move(cell));
  }
  return line(cells);
}

std::string part_line(const Report& report, const KpiReport& kpi, const ReportPart& part) {
  auto cells = definition_cells(kpi);
  const std::string value = quantity_text(part.value.to_double(), kpi.definition.unit);
  for (std::string cell :
       {text_cell(report.by), text_cell(part_text(part)), part.value.text(),
        text_cell(value), std::string(), std::string(), std::string(), std::string(),
        std::string(), std::to_string(part.entries), format_rfc3339(report.until),
        format_rfc3339(report.at), std::string()}) {
    cells.push_back(std::move(cell));
  }
  return line(cells);
}

}  // namespace

std::string csv_of(const Report& report) {
  std::string text = line({"kpi",
                           "revision",
                           "title",
                           "description",
                           "threshold",
                           "direction",
                           "threshold_text",
                           "unit",
                           "by",
                           "key",
                           "value",
                           "value_text",
                           "completed_percent",
                           "completed_text",
                           "reached",
                           "change",
                           "needed_per_month",
                           "entries",
                           "until",
                           "at",
                           "evidence"});
  for (const KpiReport& kpi : report.kpis) {
    text += total_line(report, kpi);
    for (const ReportPart& part : kpi.parts) text += part_line(report, kpi, part);
  }
  return text;
}

}  // namespace mendel::registry::api
