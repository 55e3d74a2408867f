#include "registry/api/kpi_report_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "registry/api/kpi_chart.h"
#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/report.h"
#include "storage/base/clock.h"
#include "tests/registry/kpi_report_fixture.h"

namespace mendel::registry::api {
namespace {

using mendel::testing::day;
using mendel::testing::kpi;
using mendel::testing::report_of_february;
using ::testing::HasSubstr;
using ::testing::Not;

// Elements that are opened are closed, in turn: what a parser of XML asks for, which the
// page does not need, and a mistake of ours would break.
std::vector<std::string> open_elements(std::string_view html) {
  std::vector<std::string> open;
  for (auto at = html.find('<'); at != std::string_view::npos;
       at = html.find('<', at + 1)) {
    const auto end = html.find('>', at);
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" \n")));
    const bool is_void = name == "!DOCTYPE" || name == "meta" || tag.ends_with('/');
    if (is_void) continue;
    if (!name.starts_with('/')) {
      open.push_back(name);
    } else if (!open.empty() && open.back() == name.substr(1)) {
      open.pop_back();
    } else {
      open.push_back(name);  // nothing to close: stays, and is told
    }
  }
  return open;
}

TEST(KpiReportHtml, IsOneWholePage) {
  const std::string page = html_of(report_of_february());

  EXPECT_THAT(open_elements(page), ::testing::IsEmpty());
  for (const char* text :
       {"N_MC ≥ 1 (billion)", "1 M events", "0.1 %", "3 experiments", "150 %",
        "8 (since September 2023)", "267 %", "4 use-cases", "80 %",
        "deadline 31 December 2025",
        "What happened until 13 February 2024, as known on 13 February 2024, 12:00 UTC."}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(KpiReportHtml, FetchesAndRunsNothing) {
  const std::string page = html_of(report_of_february());
  for (const char* text : {"<script", "<link", "<img", "url(", "@import", " src="}) {
    EXPECT_THAT(page, Not(HasSubstr(text)));
  }
}

TEST(KpiReportHtml, LetsNoTextBecomeMarkup) {
  const std::string text = "<script>alert('x')</script>\" onload=\"y";
  auto report = report_of_february();
  auto& kpi = report.kpis[0];
  kpi.definition.title = kpi.definition.description = kpi.definition.symbol = text;
  kpi.definition.unit = kpi.definition.display_unit = text;
  kpi.parts[0].key = text;
  kpi.evidence = {"https://example.org/" + text, "javascript://example.org/%0aalert(1)"};
  report.by = text;

  const std::string page = html_of(report);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("\" onload")));
  EXPECT_THAT(page, Not(HasSubstr("href=\"javascript")));
  EXPECT_THAT(page, HasSubstr("<li>javascript://example.org/%0aalert(1)</li>"));
  EXPECT_THAT(open_elements(page), ::testing::IsEmpty());
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(KpiChart, DrawsTheStairOnceMoreWhereItIsSmall) {
  const auto report = report_of_february();
  const std::string small = chart_of(report.kpis[0], report.until);
  EXPECT_EQ(count_of(small, "class=\"value\""), 2U);
  EXPECT_THAT(small, HasSubstr("enlarged: 1 M events"));

  auto large = report.kpis[0];
  large.value = Amount::parse("400000000");
  large.series.back().value = large.value;
  EXPECT_EQ(count_of(chart_of(large, report.until), "class=\"value\""), 1U);
}

// Whatever the numbers are, the drawing is finite and ends.
TEST(KpiChart, DrawsOddNumbers) {
  const Timestamp until = parse_rfc3339("2024-02-13");
  for (const double threshold : {1e-9, 3.0, 1e18}) {
    for (const char* value : {"0", "-5", "1000000000000000000", "0.000000001"}) {
      for (const auto first : {day(1970, 1, 1), day(2024, 2, 13), day(2024, 2, 14)}) {
        auto odd = kpi("K", value, threshold);
        odd.series = {{first, Amount::parse("1")}, {day(2024, 2, 14), odd.value}};
        odd.definition.deadline = day(2020, 1, 1);
        const std::string svg = chart_of(odd, until);
        EXPECT_THAT(svg, Not(HasSubstr("nan"))) << value << " of " << threshold;
        EXPECT_THAT(svg, Not(HasSubstr("inf"))) << value << " of " << threshold;
        EXPECT_LT(svg.size(), 50'000U);
      }
    }
  }
  EXPECT_THAT(chart_of(kpi("K", "0", 5), until), HasSubstr("no entries yet"));
}

}  // namespace
}  // namespace mendel::registry::api
