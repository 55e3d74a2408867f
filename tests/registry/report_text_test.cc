#include "registry/services/ledger/report_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/report.h"
#include "storage/base/clock.h"
#include "tests/registry/kpi_report_fixture.h"

namespace mendel::registry {
namespace {

using mendel::testing::day;
using mendel::testing::kpi;
using mendel::testing::report_of_february;
using ::testing::ElementsAre;

TEST(ReportText, WritesTheProjectsOwnTable) {
  const auto table = table_of(report_of_february());

  EXPECT_THAT(table.headings,
              ElementsAre("KPI ID", "description", "threshold", "value", "completed",
                          "since report of 31 December 2023", "needed pace", "entries"));
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : table.rows) cells.push_back({row[0], row[2], row[3], row[4]});
  EXPECT_THAT(
      cells,
      ElementsAre(
          ElementsAre("KPI2.2.1.1", "N_MC ≥ 1 (billion)", "1 M events", "0.1 %"),
          ElementsAre("KPI2.2.1.2", "N_EXP ≥ 2", "3 experiments", "150 %"),
          ElementsAre("KPI2.2.1.3", "N_CONF ≥ 3", "8 (since September 2023)", "267 %"),
          ElementsAre("KPI2.2.1.4", "N_UC ≥ 5", "4 use-cases", "80 %")));
  EXPECT_EQ(table.rows[0][5], "+550 k events");
  EXPECT_EQ(table.rows[0][6], "44.2 M events per month (behind)");
  EXPECT_EQ(table.rows[1][5], "");
  EXPECT_EQ(table.rows[0][7], "1000");
}

TEST(ReportText, LeavesColumnsOutThatNoKpiHas) {
  auto report = report_of_february();
  report.kpis.erase(report.kpis.begin());
  EXPECT_THAT(table_of(report).headings, ElementsAre("KPI ID", "description", "threshold",
                                                     "value", "completed", "entries"));
}

TEST(ReportText, CutsQuantitiesOff) {
  EXPECT_EQ(quantity_text(0), "0");
  EXPECT_EQ(quantity_text(9999), "9999");
  EXPECT_EQ(quantity_text(10'000), "10 k");
  EXPECT_EQ(quantity_text(12'345), "12.3 k");
  EXPECT_EQ(quantity_text(999'999), "999 k");
  EXPECT_EQ(quantity_text(1e6), "1 M");
  EXPECT_EQ(quantity_text(1.3e9), "1.3 G");
  EXPECT_EQ(quantity_text(2.5e15), "2.5 P");
  EXPECT_EQ(quantity_text(1.2345e22), "12345 E");
  EXPECT_EQ(quantity_text(-250'000), "-250 k");
  EXPECT_EQ(quantity_text(0.3), "0.3");
  EXPECT_EQ(quantity_text(0.0012345), "0.00123");
  EXPECT_EQ(quantity_text(12.999), "12.9");
  EXPECT_EQ(quantity_text(1234.56), "1234");
  EXPECT_EQ(quantity_text(2e4, "jets"), "20 k jets");
}

// Every value that has three digits or fewer is written as it is, whatever its binary form.
TEST(ReportText, CutsNothingOffThatFits) {
  for (int number = 1; number < 1000; ++number) {
    const std::string text = std::to_string(number);
    EXPECT_EQ(quantity_text(number * 1e6), text + " M");
    EXPECT_EQ(quantity_text(number * 1e9), text + " G");
    const std::string tenths = quantity_text(number * 1e5);
    EXPECT_DOUBLE_EQ(std::stod(tenths) * (tenths.back() == 'k' ? 1e3 : 1e6), number * 1e5);
  }
}

std::string completed(const std::string& value, double threshold) {
  return completed_text(kpi("K", value, threshold));
}

TEST(ReportText, NeverSaysDoneBeforeItIs) {
  EXPECT_EQ(completed("999999999", 1e9), "99 %");
  EXPECT_EQ(completed("1000000000", 1e9), "100 %");
  EXPECT_EQ(completed("1004000000", 1e9), "100 %");
  EXPECT_EQ(completed("99.4", 100), "99 %");
  EXPECT_EQ(completed("9.94", 100), "9.9 %");
  EXPECT_EQ(completed("9.96", 100), "10 %");
  EXPECT_EQ(completed("0.1234", 100), "0.12 %");
  EXPECT_EQ(completed("0.00000001", 100), "< 0.0001 %");
  EXPECT_EQ(completed("0", 100), "0 %");
  EXPECT_EQ(completed("-5", 100), "-5 %");
}

TEST(ReportText, SaysWhenALimitIsPassed) {
  auto limit = kpi("K", "100.2", 100);
  limit.definition.direction = KpiDefinition::Direction::at_most;
  EXPECT_EQ(completed_text(limit), "101 %");
  EXPECT_EQ(threshold_text(limit.definition), "≤ 100");
  limit.value = Amount::parse("99.8");
  EXPECT_EQ(completed_text(limit), "100 %");
}

TEST(ReportText, WritesSinceWhenOnlyWhereThereIsNoUnit) {
  auto talks = kpi("K", "8", 3);
  talks.definition.since = day(2023, 9, 13);
  EXPECT_EQ(value_text(talks), "8 (since 13 September 2023)");
  talks.definition.unit = "talks";
  EXPECT_EQ(value_text(talks), "8 talks");
}

TEST(ReportText, WritesDatesForPeople) {
  EXPECT_EQ(time_text(parse_rfc3339("2024-02-13")), "13 February 2024");
  EXPECT_EQ(time_text(parse_rfc3339("2024-02-03T09:05:59Z")), "3 February 2024, 09:05 UTC");
}

}  // namespace
}  // namespace mendel::registry
