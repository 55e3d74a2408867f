#include "cli/kpi_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "cli/output.h"

namespace mendel::cli {

namespace {

// So that a table with every column fits a terminal that is not small.
constexpr std::size_t kDescriptionWidth = 48;
constexpr std::size_t kPartsShownMax = 50;
constexpr std::size_t kLinksShownMax = 5;

// Of UTF-8: every byte but the continuations.
bool begins_character(char c) { return (c & 0xC0) != 0x80; }

std::string description_of(const Json& kpi) {
  const std::string description = text_of(kpi, "description");
  return description.empty() ? text_of(kpi, "title") : description;
}

// One row of the table may be several lines.
void add_lines(Table& table, const std::vector<std::string>& cells) {
  std::vector<std::vector<std::string>> columns;
  std::size_t height = 1;
  for (const std::string& cell : cells) {
    columns.push_back(wrapped(cell, kDescriptionWidth));
    height = std::max(height, columns.back().size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    std::vector<std::string> row;
    for (const auto& column : columns) {
      row.push_back(line < column.size() ? column[line] : "");
    }
    table.add(std::move(row));
  }
}

void print_parts(const Json& kpi, const std::string& by) {
  const Json parts = kpi.value("by", Json::array());
  if (parts.empty()) return;
  fmt::print("\n{} by {}\n", printable(text_of(kpi, "id")), printable(by));
  Table table({"  " + by, "value", "share", "entries"});
  for (std::size_t i = 0; i < parts.size() && i < kPartsShownMax; ++i) {
    const Json& part = parts[i];
    const std::string key = text_of(part, "key");
    const std::string share = text_of(part, "share_percent");
    table.add({"  " + (key.empty() ? "(none)" : key),
               plain_amount(part.value("value", Json()), text_of(kpi, "unit")),
               share.empty() ? "" : share + " %", text_of(part, "entries")});
  }
  table.print();
  const std::size_t left_out = parts.size() - std::min(parts.size(), kPartsShownMax) +
                               kpi.value("by_left_out", std::size_t{0});
  if (left_out > 0) fmt::print("  and {} more\n", left_out);
}

void print_evidence(const Json& kpi) {
  const Json links = kpi.value("evidence", Json::array());
  if (links.empty()) return;
  fmt::print("\nevidence of {}\n", printable(text_of(kpi, "id")));
  for (std::size_t i = 0; i < links.size() && i < kLinksShownMax; ++i) {
    fmt::print("  {}\n", printable(links[i].get<std::string>()));
  }
  if (links.size() > kLinksShownMax) {
    fmt::print("  and {} more: --format json has them\n", links.size() - kLinksShownMax);
  }
}

// The end of a day is that day.
std::string time_of(const Json& object, const char* member) {
  const std::string time = text_of(object, member);
  const auto end = time.find("T23:59:59.999999Z");
  return time.substr(0, end);
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t size = 0;   // of the line, in bytes
    std::size_t space = 0;  // the last one that the line may end at
    std::size_t count = 0;
    while (size < text.size()) {
      if (begins_character(text[size]) && count++ == width) break;
      if (text[size] == ' ') space = size;
      ++size;
    }
    const bool is_whole = size == text.size() || text[size] == ' ';
    const std::size_t end = is_whole || space == 0 ? size : space;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return lines;
}

std::string plain_amount(const Json& number, const std::string& unit) {
  return number.dump() + (unit.empty() ? "" : " " + unit);
}

KpiCells kpi_cells(const Json& report) {
  static const std::vector<std::pair<const char*, const char*>> kOptional = {
      {"change_text", "change"}, {"pace_text", "needed pace"}};
  const Json kpis = report.value("kpis", Json::array());
  KpiCells cells{{"KPI ID", "description", "threshold", "value", "completed"}, {}};
  std::vector<const char*> more;
  for (const auto& [member, heading] : kOptional) {
    if (std::ranges::none_of(kpis, [&](const Json& kpi) { return kpi.contains(member); })) {
      continue;
    }
    more.push_back(member);
    cells.headings.emplace_back(heading);
  }
  cells.headings.emplace_back("entries");
  for (const Json& kpi : kpis) {
    std::vector<std::string> row{text_of(kpi, "id"), description_of(kpi),
                                 text_of(kpi, "threshold_text"), text_of(kpi, "value_text"),
                                 text_of(kpi, "completed_text")};
    for (const char* member : more) row.push_back(text_of(kpi, member));
    row.push_back(text_of(kpi, "entries"));
    cells.rows.push_back(std::move(row));
  }
  return cells;
}

void print_kpi_report(const Json& report) {
  fmt::print("what happened until {}, as known at {}\n", time_of(report, "until"),
             time_of(report, "at"));
  const Json previous = report.value("previous", Json::object());
  if (!previous.empty()) {
    fmt::print("change since the report of {}, until {}\n", time_of(previous, "at"),
               time_of(previous, "until"));
  }
  fmt::print("\n");
  const KpiCells cells = kpi_cells(report);
  Table table(cells.headings);
  for (const auto& row : cells.rows) add_lines(table, row);
  table.print();
  const Json kpis = report.value("kpis", Json::array());
  if (kpis.empty()) fmt::print("there are no KPIs that you may see\n");
  for (const Json& kpi : kpis) print_parts(kpi, text_of(report, "by"));
  for (const Json& kpi : kpis) print_evidence(kpi);
  const Json chain = report.value("chain", Json::object());
  fmt::print("\nledger: {} entries up to batch {}, {}\n", text_of(chain, "entries"),
             text_of(chain, "sequence"), text_of(chain, "hash"));
}

}  // namespace mendel::cli
