#include "registry/services/metric_buckets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace mendel::registry {
namespace {

using ::testing::SizeIs;

MetricPoint point(std::int64_t step, double value) { return {0, false, step, value, {}}; }

TEST(MetricBuckets, SumUpNeighbouringSteps) {
  MetricBuckets buckets({0, 99}, 10);
  for (std::int64_t step = 0; step < 100; ++step) {
    buckets.add(point(step, step == 55 ? 1000.0 : static_cast<double>(step)));
  }
  const auto found = buckets.take();
  ASSERT_THAT(found, SizeIs(10));
  EXPECT_EQ(found[5].first_step, 50);
  EXPECT_EQ(found[5].last_step, 59);
  EXPECT_EQ(found[5].count, 10);
  EXPECT_EQ(found[5].min, 50.0);
  EXPECT_EQ(found[5].max, 1000.0) << "a peak is seen, however few buckets there are";
  EXPECT_EQ(found[5].last, 59.0);
}

TEST(MetricBuckets, TakePointsInAnyOrder) {
  MetricBuckets buckets({10, 30}, 1);
  buckets.add(point(30, 1.0));
  buckets.add(point(10, 2.0));
  buckets.add(point(30, 3.0));
  const auto found = buckets.take();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].first_step, 10);
  EXPECT_EQ(found[0].last_step, 30);
  EXPECT_EQ(found[0].last, 3.0) << "of two at one step, the one recorded later";
}

TEST(MetricBuckets, LeaveOutWhatHasNoPoints) {
  MetricBuckets buckets({0, kMetricStepMax}, 1000);
  buckets.add(point(0, 1.0));
  buckets.add(point(kMetricStepMax, 2.0));
  const auto found = buckets.take();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[1].first_step, kMetricStepMax);
}

TEST(MetricBuckets, PassOverNotANumberInMinAndMax) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  MetricBuckets buckets({0, 3}, 2);
  buckets.add(point(0, nan));
  buckets.add(point(1, 4.0));
  buckets.add(point(2, nan));
  const auto found = buckets.take();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].min, 4.0);
  EXPECT_EQ(found[0].max, 4.0);
  EXPECT_FALSE(found[1].min.has_value());
  EXPECT_TRUE(std::isnan(found[1].last));
}

}  // namespace
}  // namespace mendel::registry
