#include "registry/services/keep_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<RuledCheckpoint> with_values(std::vector<double> values) {
  std::vector<RuledCheckpoint> checkpoints;
  for (const double value : values) {
    checkpoints.push_back({.step = static_cast<std::int64_t>(checkpoints.size() + 1) * 100,
                           .metrics = {{"chi2_ndf", value}},
                           .is_published = false});
  }
  return checkpoints;
}

std::vector<std::size_t> dropped(const char* rule, std::vector<double> values) {
  return KeepRule::parse(rule).dropped(with_values(std::move(values)));
}

TEST(KeepRule, KeepsTheBest) {
  EXPECT_THAT(dropped("best:2:chi2_ndf:min", {3, 1, 2, 4}), ElementsAre(0, 3));
  EXPECT_THAT(dropped("best:2:chi2_ndf:max", {3, 1, 2, 4}), ElementsAre(1, 2));
}

TEST(KeepRule, KeepsTheLast) {
  EXPECT_THAT(dropped("last:2", {1, 2, 3, 4}), ElementsAre(0, 1));
  EXPECT_THAT(dropped("last:9", {1, 2, 3, 4}), IsEmpty());
}

TEST(KeepRule, KeepsEverySoManySteps) {
  EXPECT_THAT(dropped("every:200", {1, 2, 3, 4}), ElementsAre(0, 2));
}

TEST(KeepRule, KeepsWhatAnyRuleKeeps) {
  EXPECT_THAT(dropped("best:1:chi2_ndf:min,last:1,every:300", {5, 1, 6, 7, 8}),
              ElementsAre(0, 3));
}

TEST(KeepRule, WithoutARuleKeepsAll) { EXPECT_THAT(dropped("", {1, 2, 3}), IsEmpty()); }

TEST(KeepRule, KeepsWhatWasPublished) {
  auto checkpoints = with_values({1, 2, 3});
  checkpoints[0].is_published = true;
  EXPECT_THAT(KeepRule::parse("last:1").dropped(checkpoints), ElementsAre(1));
}

TEST(KeepRule, CountsNotANumberAndNothingAmongTheWorst) {
  auto checkpoints = with_values({kNan, 7, 8});
  checkpoints[2].metrics.clear();
  EXPECT_THAT(KeepRule::parse("best:3:chi2_ndf:min").dropped(checkpoints),
              ElementsAre(0, 2));
  EXPECT_THAT(dropped("best:1:chi2_ndf:max", {-std::numeric_limits<double>::infinity(), 7}),
              ElementsAre(0));
}

TEST(KeepRule, PrefersTheEarlierOfTwoEquals) {
  EXPECT_THAT(dropped("best:1:chi2_ndf:min", {2, 2, 2}), ElementsAre(1, 2));
  EXPECT_THAT(dropped("best:1:chi2_ndf:max", {2, 2, 2}), ElementsAre(1, 2));
}

TEST(KeepRule, TakesMetricsWhoseNamesHaveColons) {
  std::vector<RuledCheckpoint> checkpoints(2);
  checkpoints[0].metrics = {{"val:loss", 2.0}};
  checkpoints[1].metrics = {{"val:loss", 1.0}};
  EXPECT_THAT(KeepRule::parse("best:1:val:loss:min").dropped(checkpoints), ElementsAre(0));
}

TEST(KeepRule, RefusesWhatIsNone) {
  for (const char* text :
       {",", "last", "last:", "last:0", "last:-1", "last:1x", "last:99999999999999999999",
        "every:0", "best:1:chi2", "best:1::min", "best::chi2:min", "best:1:chi2:low",
        "first:3", "last:1,", ",last:1", "last:1, last:2"}) {
    try {
      KeepRule::parse(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << text;
    }
  }
}

}  // namespace
}  // namespace mendel::registry
