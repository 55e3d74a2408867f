#include "registry/services/ledger/report_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/amount_sum.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/pace.h"
#include "registry/services/ledger/sums.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "tests/registry/kpi_report_fixture.h"

namespace mendel::registry {
namespace {

using mendel::testing::day;
using ::testing::ElementsAre;
using Count = KpiDefinition::Count;

std::string sum_of(const std::vector<std::string>& amounts) {
  AmountSum sum;
  for (const std::string& amount : amounts) sum.add(Amount::parse(amount));
  return sum.total().text();
}

TEST(AmountSum, IsExactWhereDoublesAreNot) {
  EXPECT_EQ(sum_of({}), "0");
  EXPECT_EQ(sum_of({"0.1", "0.2"}), "0.3");
  EXPECT_EQ(sum_of({"9007199254740993", "1000000000000000000000", "-1"}),
            "1000009007199254740992");
  EXPECT_EQ(sum_of({"0.000000001", "999999999.999999999"}), "1000000000");
  EXPECT_EQ(sum_of({"12.5", "0.00000000000000000000000001"}),
            "12.50000000000000000000000001");
}

TEST(AmountSum, CarriesOverBelowZero) {
  EXPECT_EQ(sum_of({"-0.5"}), "-0.5");
  EXPECT_EQ(sum_of({"1", "-1000000000000.25"}), "-999999999999.25");
  EXPECT_EQ(sum_of({"-7", "7"}), "0");
  AmountSum difference;
  difference.add(Amount::parse("3"));
  difference.subtract(Amount::parse("1000000000"));
  EXPECT_EQ(difference.total().text(), "-999999997");
}

TEST(AmountSum, RefusesWhatDoesNotFit) {
  AmountSum sum;
  try {
    sum.add(Amount::parse("1" + std::string(50, '0')));
    FAIL() << "50 digits were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::data_loss);
  }
}

KpiDefinition counting(Count count) {
  KpiDefinition definition;
  definition.count = count;
  definition.distinct_key = "experiment";
  return definition;
}

LedgerSum sum(const std::string& value, VersionId version, const std::string& amount,
              std::int64_t weight) {
  LedgerSum sum;
  sum.value = value;
  sum.version = version;
  sum.amount = Amount::parse(amount);
  sum.weight = weight;
  sum.entries = weight + 1;
  return sum;
}

// ALICE was withdrawn; one entry has no experiment.
std::vector<LedgerSum> by_experiment() {
  return {sum("LHCb", 1, "1000", 3), sum("LHCb", 2, "500.5", 1), sum("ATLAS", 1, "200", 2),
          sum("ALICE", 2, "0", 0), sum("", 0, "7", 1)};
}

TEST(ReportCount, AddsValuesEntriesOrDistinctOnes) {
  EXPECT_EQ(count(counting(Count::sum), by_experiment()).value.text(), "1707.5");
  EXPECT_EQ(count(counting(Count::entries), by_experiment()).value.text(), "7");
  EXPECT_EQ(count(counting(Count::distinct), by_experiment()).value.text(), "2");
  EXPECT_EQ(count(counting(Count::distinct), by_experiment()).entries, 7);
}

TEST(ReportCount, GroupsWhatItCounts) {
  const auto by_version = [](const LedgerSum& sum) { return std::to_string(sum.version); };
  auto parts = count_parts(counting(Count::distinct), by_experiment(), by_version);
  sort_parts(parts);

  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].key, "1");
  EXPECT_EQ(parts[0].value.text(), "2");
  EXPECT_EQ(parts[0].entries, 5);
  EXPECT_EQ(parts[1].key, "2");  // LHCb alone: ALICE does not count
  EXPECT_EQ(parts[1].value.text(), "1");
  EXPECT_EQ(parts[2].key, "0");
  EXPECT_EQ(parts[2].value.text(), "0");
}

TEST(ReportCount, LeavesOutPartsOfWhichNothingIsLeft) {
  const auto by_value = [](const LedgerSum& sum) { return sum.value; };
  auto parts = count_parts(counting(Count::sum), by_experiment(), by_value);
  sort_parts(parts);

  std::vector<std::string> keys;
  for (const auto& part : parts) keys.push_back(part.key);
  EXPECT_THAT(keys, ElementsAre("LHCb", "ATLAS", ""));
}

std::vector<LedgerDay> days() {
  return {{day(2023, 12, 30), Amount::parse("5"), 1, ""},
          {day(2024, 1, 2), Amount::parse("10"), 2, ""},
          {day(2024, 1, 31), Amount::parse("1.5"), 1, ""}};
}

TEST(ReportCount, GivesMonthsInOrder) {
  const auto months = count_months(counting(Count::sum), days());

  ASSERT_EQ(months.size(), 2U);
  EXPECT_EQ(months[0].key, "2023-12");
  EXPECT_EQ(months[1].key, "2024-01");
  EXPECT_EQ(months[1].value.text(), "11.5");
  EXPECT_EQ(count_months(counting(Count::entries), days())[1].value.text(), "3");
}

TEST(ReportCount, AccumulatesDays) {
  EXPECT_THAT(accumulate(counting(Count::sum), days()),
              ElementsAre(ReportPoint{day(2023, 12, 30), Amount::parse("5")},
                          ReportPoint{day(2024, 1, 2), Amount::parse("15")},
                          ReportPoint{day(2024, 1, 31), Amount::parse("16.5")}));
}

std::vector<LedgerDay> days_of_experiments() {
  return {{day(2024, 1, 2), Amount::parse("1"), 1, "ATLAS"},
          {day(2024, 1, 9), Amount::parse("1"), 1, "LHCb"},
          {day(2024, 2, 1), Amount::parse("1"), 1, "LHCb"},
          {day(2024, 1, 2), Amount::parse("0"), 0, "ALICE"},
          {day(2024, 1, 9), Amount::parse("1"), 1, ""}};
}

TEST(ReportCount, AccumulatesDistinctValuesOnTheirFirstDays) {
  EXPECT_THAT(accumulate(counting(Count::distinct), days_of_experiments()),
              ElementsAre(ReportPoint{day(2024, 1, 2), Amount::parse("1")},
                          ReportPoint{day(2024, 1, 9), Amount::parse("2")}));
}

TEST(ReportCount, CountsDistinctValuesOfAMonth) {
  const auto months = count_months(counting(Count::distinct), days_of_experiments());

  ASSERT_EQ(months.size(), 2U);
  EXPECT_EQ(months[0].value.text(), "2");
  EXPECT_EQ(months[0].entries, 3);
  EXPECT_EQ(months[1].value.text(), "1");
}

TEST(ReportCount, ThinsOutEvenlyAndKeepsTheEnds) {
  std::vector<ReportPoint> points;
  for (int nth = 0; nth < 1001; ++nth) {
    points.push_back({day(2020, 1, 1) + std::chrono::days(nth), Amount()});
  }
  const auto some = thinned_out(points, 11);
  ASSERT_EQ(some.size(), 11U);
  EXPECT_EQ(some[0], points[0]);
  EXPECT_EQ(some[5], points[500]);
  EXPECT_EQ(some[10], points[1000]);
  EXPECT_EQ(thinned_out(points, 2000).size(), 1001U);
}

KpiDefinition with_deadline() {
  KpiDefinition definition;
  definition.threshold = 100;
  definition.since = day(2024, 1, 1);
  definition.deadline = day(2024, 4, 9);  // 100 days in all
  return definition;
}

TEST(Pace, IsTheStraightLineToTheDeadline) {
  const auto pace =
      pace_of(with_deadline(), 40, std::nullopt, parse_rfc3339("2024-02-20T00:00:00Z"));
  ASSERT_TRUE(pace);
  EXPECT_DOUBLE_EQ(pace->expected, 50);
  EXPECT_TRUE(pace->is_behind);
  EXPECT_DOUBLE_EQ(pace->needed_per_day.value(), 60.0 / 50);
  EXPECT_NEAR(pace->needed_per_month.value(), 36.5, 0.05);
  EXPECT_FALSE(
      pace_of(with_deadline(), 50, std::nullopt, parse_rfc3339("2024-02-20T00:00:00Z"))
          ->is_behind);
}

TEST(Pace, NeedsNothingOnceReachedAndSaysNothingAfterTheDeadline) {
  const auto reached =
      pace_of(with_deadline(), 120, std::nullopt, parse_rfc3339("2024-02-20T00:00:00Z"));
  EXPECT_EQ(reached->needed_per_day, 0);
  const auto late =
      pace_of(with_deadline(), 99, std::nullopt, parse_rfc3339("2024-04-10T00:00:00Z"));
  EXPECT_EQ(late->expected, 100);
  EXPECT_TRUE(late->is_behind);
  EXPECT_FALSE(late->needed_per_day);
}

TEST(Pace, BeginsWithTheFirstEntryWhereTheDefinitionDoesNotSay) {
  auto definition = with_deadline();
  definition.since.reset();
  const auto now = parse_rfc3339("2024-03-31T00:00:00Z");
  EXPECT_DOUBLE_EQ(pace_of(definition, 0, day(2024, 3, 21), now)->expected, 50);
  EXPECT_EQ(pace_of(definition, 0, std::nullopt, now)->expected, 0);
}

TEST(Pace, OfALimitIsBehindAboveTheLine) {
  auto definition = with_deadline();
  definition.direction = KpiDefinition::Direction::at_most;
  const auto now = parse_rfc3339("2024-02-20T00:00:00Z");
  EXPECT_FALSE(pace_of(definition, 40, std::nullopt, now)->is_behind);
  EXPECT_TRUE(pace_of(definition, 60, std::nullopt, now)->is_behind);
}

TEST(Pace, IsOnlyOfWhatHasADeadline) {
  EXPECT_FALSE(pace_of(KpiDefinition(), 1, std::nullopt, Timestamp()));
}

}  // namespace
}  // namespace mendel::registry
