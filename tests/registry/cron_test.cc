#include "registry/services/triggers/cron.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;

// The first moments that a schedule is due at, later than a time.
std::vector<std::string> due(const std::string& expression, const std::string& zone,
                             const std::string& after, std::size_t count) {
  const auto schedule = Schedule::parse(expression, zone);
  std::vector<std::string> found;
  Timestamp time = parse_rfc3339(after);
  for (std::size_t i = 0; i < count; ++i) {
    time = schedule.next(time);
    found.push_back(format_rfc3339(time));
  }
  return found;
}

std::string problem(const std::string& expression, const std::string& zone = "UTC") {
  try {
    Schedule::parse(expression, zone);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
}

TEST(Schedule, IsDueAfterATimeAndNotAtIt) {
  EXPECT_THAT(due("0 3 * * *", "UTC", "2024-02-13T02:59:59.999999Z", 1),
              ElementsAre("2024-02-13T03:00:00Z"));
  EXPECT_THAT(due("0 3 * * *", "UTC", "2024-02-13T03:00:00Z", 1),
              ElementsAre("2024-02-14T03:00:00Z"));
}

TEST(Schedule, TakesNumbersNamesRangesStepsAndLists) {
  EXPECT_THAT(
      due("*/20 * * * *", "UTC", "2024-02-13T10:01:00Z", 3),
      ElementsAre("2024-02-13T10:20:00Z", "2024-02-13T10:40:00Z", "2024-02-13T11:00:00Z"));
  EXPECT_THAT(due("5,10-14/2 6 * * *", "UTC", "2024-02-13T06:00:00Z", 4),
              ElementsAre("2024-02-13T06:05:00Z", "2024-02-13T06:10:00Z",
                          "2024-02-13T06:12:00Z", "2024-02-13T06:14:00Z"));
  EXPECT_THAT(due("0 0 * JAN-mar Mon", "UTC", "2024-03-20T00:00:00Z", 2),
              ElementsAre("2024-03-25T00:00:00Z", "2025-01-06T00:00:00Z"));
  EXPECT_EQ(due("0 0 * * 7", "UTC", "2024-02-13T00:00:00Z", 3),
            due("0 0 * * 0", "UTC", "2024-02-13T00:00:00Z", 3));
  EXPECT_THAT(due("50/5 0 * * *", "UTC", "2024-02-13T00:50:00Z", 2),
              ElementsAre("2024-02-13T00:55:00Z", "2024-02-14T00:50:00Z"));
}

TEST(Schedule, NeedsOneOfTwoDaysThatAreBothRestricted) {
  EXPECT_THAT(
      due("0 0 15 * fri", "UTC", "2024-02-13T00:00:00Z", 3),
      ElementsAre("2024-02-15T00:00:00Z", "2024-02-16T00:00:00Z", "2024-02-23T00:00:00Z"));
}

TEST(Schedule, FollowsTheClockOfItsZone) {
  EXPECT_THAT(due("0 3 * * 1", "Europe/Rome", "2024-03-20T00:00:00Z", 2),
              ElementsAre("2024-03-25T02:00:00Z", "2024-04-01T01:00:00Z"));
}

TEST(Schedule, FindsTheLeapDay) {
  EXPECT_THAT(due("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1),
              ElementsAre("2104-02-29T00:00:00Z"));
}

// In Rome the clock goes from 02:00 to 03:00 on 31 March 2024, at 01:00 UTC.
TEST(Schedule, IsDueAtTheChangeForATimeThatIsLeftOut) {
  EXPECT_THAT(
      due("30 2 * * *", "Europe/Rome", "2024-03-30T00:00:00Z", 3),
      ElementsAre("2024-03-30T01:30:00Z", "2024-03-31T01:00:00Z", "2024-04-01T00:30:00Z"));
  EXPECT_THAT(
      due("0,15,30 2,3 * * *", "Europe/Rome", "2024-03-31T00:00:00Z", 3),
      ElementsAre("2024-03-31T01:00:00Z", "2024-03-31T01:15:00Z", "2024-03-31T01:30:00Z"));
}

// … and from 03:00 back to 02:00 on 27 October 2024, at 01:00 UTC.
TEST(Schedule, IsDueOnceForATimeThatComesTwice) {
  EXPECT_THAT(due("30 2 * * *", "Europe/Rome", "2024-10-26T12:00:00Z", 2),
              ElementsAre("2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"));
}

TEST(Schedule, CountsElapsedTimeWhereEveryHourIsMeant) {
  EXPECT_THAT(
      due("30 * * * *", "Europe/Rome", "2024-03-31T00:00:00Z", 3),
      ElementsAre("2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z", "2024-03-31T02:30:00Z"));
  EXPECT_THAT(
      due("30 * * * *", "Europe/Rome", "2024-10-27T00:00:00Z", 3),
      ElementsAre("2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "2024-10-27T02:30:00Z"));
}

// The clock of Santiago goes from 24:00 to 01:00: the day begins at 01:00.
TEST(Schedule, IsDueOnADayWithoutMidnight) {
  EXPECT_THAT(due("0 0 * * *", "America/Santiago", "2024-09-07T05:00:00Z", 2),
              ElementsAre("2024-09-08T04:00:00Z", "2024-09-09T03:00:00Z"));
}

TEST(Schedule, GoesOnOverADayThatThereWasNot) {
  EXPECT_THAT(due("0 12 30 * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 1),
              ElementsAre("2011-12-30T10:00:00Z"));
}

// Goal: after any moment of a year the next one comes later, and is never further away than
// a day and an hour.
TEST(Schedule, NeverStandsStill) {
  for (const char* zone : {"UTC", "Europe/Rome", "Australia/Lord_Howe", "America/Havana"}) {
    const auto schedule = Schedule::parse("*/45 0,2,23 * * *", zone);
    Timestamp time = parse_rfc3339("2024-01-01T00:00:00Z");
    const Timestamp end = parse_rfc3339("2025-01-01T00:00:00Z");
    while (time < end) {
      const Timestamp next = schedule.next(time);
      ASSERT_GT(next, time);
      ASSERT_LE(next - time, std::chrono::hours(25)) << zone << format_rfc3339(time);
      time = next;
    }
  }
}

TEST(Schedule, SaysWhichFieldIsWrong) {
  EXPECT_EQ(problem("0 25 * * *"), "hour: 25 is not from 0 to 23");
  EXPECT_EQ(problem("x * * * *"), "minute: 'x' is no number");
  EXPECT_EQ(problem("* * 0 * *"), "day of the month: 0 is not from 1 to 31");
  EXPECT_EQ(problem("* * * 5-2 *"), "month: '5-2' ends before it begins");
  EXPECT_EQ(problem("* * * * mon,"), "day of the week: '' is no number");
  EXPECT_EQ(problem("*/0 * * * *"), "minute: the step '0' is not from 1 to 59");
  EXPECT_EQ(problem("-1 * * * *"), "minute: '' is no number");
  EXPECT_EQ(problem("0 3 * *").substr(0, 24), "has 4 fields instead of ");
  EXPECT_EQ(problem("0 0 30 2 *"), "day of the month: is in none of the months");
  EXPECT_EQ(problem("0 0 31 4,6 *"), "day of the month: is in none of the months");
}

TEST(Schedule, NeedsAZoneThatThereIs) {
  EXPECT_EQ(problem("0 3 * * *", "Europe/Atlantis"),
            "there is no time zone 'Europe/Atlantis'");
  EXPECT_EQ(problem("0 3 * * *", "../../etc/passwd"),
            "there is no time zone '../../etc/passwd'");
  EXPECT_EQ(problem("0 3 * * *", ""), "there is no time zone ''");
}

}  // namespace
}  // namespace mendel::registry
