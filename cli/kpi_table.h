#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

// What the server's JSON says of a report, for people at a terminal: the table, the parts
// of each KPI if they were asked for, and links of evidence.
void print_kpi_report(const Json& report);

// The cells of the table, a heading each; of its columns only those that some KPI has
// something for.
struct KpiCells {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;
};
KpiCells kpi_cells(const Json& report);

// Text in lines of at most width characters, broken at spaces where there are any.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

// "1000000", "12.5 events".
std::string plain_amount(const Json& number, const std::string& unit);

}  // namespace mendel::cli
