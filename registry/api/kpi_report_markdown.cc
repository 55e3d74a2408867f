#include "registry/api/kpi_report_markdown.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/ledger/report_text.h"

namespace mendel::registry::api {

namespace {

// Text that stays text: what would begin markup, or end a cell, is escaped.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      result += ' ';
    } else if (c == '<') {
      result += "&lt;";
    } else {
      if (std::string_view("\\`*[]|").find(c) != std::string_view::npos) result += '\\';
      result += c;
    }
  }
  return result;
}

std::string row_of(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& cell : cells) row += fmt::format(" {} |", escaped(cell));
  return row + "\n";
}

std::string rule_of(std::size_t columns) {
  std::string row = "|";
  for (std::size_t column = 0; column < columns; ++column) row += " --- |";
  return row + "\n";
}

std::string parts_of(const Report& report, const KpiReport& kpi) {
  std::string text = row_of({report.by, value_heading(kpi), "entries"}) + rule_of(3);
  for (const ReportPart& part : kpi.parts) {
    text += row_of({part_text(part), quantity_text(part.value.to_double()),
                    std::to_string(part.entries)});
  }
  if (kpi.parts_left_out > 0) text += fmt::format("\nand {} more\n", kpi.parts_left_out);
  return text + "\n";
}

// An address has no spaces and no angle brackets of its own where it is written as a link.
std::string link(const std::string& url) {
  const bool is_plain = url.find_first_of("<> ") == std::string::npos;
  return is_plain ? "- <" + url + ">\n" : "- " + escaped(url) + "\n";
}

}  // namespace

std::string markdown_of(const Report& report) {
  std::string text = fmt::format(
      "# Key performance indicators\n\nWhat happened until {}, as known on {}.\n\n",
      time_text(report.until), time_text(report.at));
  const ReportTable table = table_of(report);
  text += row_of(table.headings) + rule_of(table.headings.size());
  for (const auto& cells : table.rows) text += row_of(cells);
  text += "\n";
  for (const KpiReport& kpi : report.kpis) {
    if (kpi.parts.empty() && kpi.evidence.empty()) continue;
    text += fmt::format("## {}: {}\n\n", escaped(kpi.definition.id),
                        escaped(kpi.definition.title));
    if (!kpi.parts.empty()) text += parts_of(report, kpi);
    if (kpi.evidence.empty()) continue;
    text += "Evidence:\n\n";
    for (const std::string& url : kpi.evidence) text += link(url);
    text += "\n";
  }
  return text + fmt::format("Ledger: {} entries up to batch {}, `{}`\n",
                            report.chain.entry_count, report.chain.sequence,
                            report.chain.hash.to_string());
}

}  // namespace mendel::registry::api
