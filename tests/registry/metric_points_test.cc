#include "registry/services/metric_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Timestamp at_microsecond(std::int64_t count) {
  return Timestamp(std::chrono::microseconds(count));
}

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

bool is_refused(const std::vector<std::byte>& packed) {
  try {
    decode_points(packed);
    return false;
  } catch (const Error& error) {
    return error.code() == ErrorCode::data_loss;
  }
}

// Equal in every member, also in a time that was not given.
void expect_same(const std::vector<MetricPoint>& a, const std::vector<MetricPoint>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i], b[i]) << i;
    EXPECT_EQ(a[i].time, b[i].time) << i;
  }
}

TEST(MetricPoints, ComeBackAsTheyWere) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<MetricPoint> points{
      {0, false, 0, 0.0, at_microsecond(1'707'782'400'000'000)},
      {1, true, 100, -0.0, at_microsecond(1'707'782'400'000'001)},
      {0x7fffffff, true, kMetricStepMax, nan, at_microsecond(-5)},
      {0, false, 3, -infinity, at_microsecond(0)},
      {0, true, -kMetricStepMax, std::numeric_limits<double>::denorm_min(),
       at_microsecond(std::numeric_limits<std::int64_t>::max())},
      {2, true, std::numeric_limits<std::int64_t>::min(), 1.5,
       at_microsecond(std::numeric_limits<std::int64_t>::min())},
  };
  expect_same(decode_points(encode_points(points)), points);
}

TEST(MetricPoints, NoneAreOneByte) {
  EXPECT_THAT(encode_points({}), ElementsAre(std::byte{1}));
  EXPECT_THAT(decode_points(bytes({1})), IsEmpty());
}

// The bytes are drawn in metric_points.cc; databases are full of them.
TEST(MetricPoints, AreWrittenInTheirFormat) {
  const std::vector<MetricPoint> points{{3, true, 100, 1.0, at_microsecond(64)},
                                        {3, false, 99, 1.0, at_microsecond(64)}};
  EXPECT_EQ(encode_points(points),
            bytes({1,  // format
                   7,    0xc8, 0x01, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x80,
                   0x01, 6,    0x01, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x00}));
}

TEST(MetricPoints, AreRefusedWhereTheyAreDamaged) {
  const auto whole = encode_points(std::vector<MetricPoint>{{3, true, 100, 1.0, {}}});
  for (std::size_t size = 2; size < whole.size(); ++size) {
    EXPECT_TRUE(is_refused({whole.begin(), whole.begin() + long(size)})) << size;
  }
  EXPECT_TRUE(is_refused({}));
  EXPECT_TRUE(is_refused(bytes({2}))) << "another format";
  EXPECT_TRUE(is_refused(bytes({1, 0x80, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})))
      << "a number that is longer than needed";
  EXPECT_TRUE(
      is_refused(bytes({1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
                        0, 0,    0,    0,    0,    0,    0,    0,    0,    0})))
      << "a number beyond 64 bits";
  EXPECT_TRUE(
      is_refused(bytes({1, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})))
      << "a metric's number beyond 31 bits";
}

TEST(MetricPoints, AreTheSameByAllThatWasSaid) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const MetricPoint point{1, false, 5, nan, at_microsecond(7)};
  MetricPoint other = point;
  other.time = at_microsecond(8);
  EXPECT_EQ(point, other) << "a time that was not given does not count";
  EXPECT_EQ(MetricPointHash()(point), MetricPointHash()(other));

  other.time_given = true;
  EXPECT_NE(point, other);
  other = point;
  other.value = -nan;
  EXPECT_NE(point, other) << "of NaN the bits count";
  other = point;
  other.step = 6;
  EXPECT_NE(point, other);
}

}  // namespace
}  // namespace mendel::registry
