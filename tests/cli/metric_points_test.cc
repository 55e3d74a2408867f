#include "cli/metric_points.h"

#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::cli {
namespace {

TEST(MetricPoint, IsReadFromALine) {
  EXPECT_EQ(parse_metric_point(R"({"name":"loss","step":3,"value":0.5})"),
            (Json{{"name", "loss"}, {"step", 3}, {"value", 0.5}}));
  EXPECT_EQ(
      parse_metric_point(
          R"({"name":"µ","step":0,"value":"-Infinity","time":"2024-02-13T00:00:00Z"})"),
      (Json{{"name", "µ"},
            {"step", 0},
            {"value", "-Infinity"},
            {"time", "2024-02-13T00:00:00Z"}}));
}

TEST(MetricPoint, IsMadeOfAnOption) {
  EXPECT_EQ(metric_point("chi2=2.5", 7, ""),
            (Json{{"name", "chi2"}, {"step", 7}, {"value", 2.5}}));
  EXPECT_EQ(metric_point("bad=nan", 7, "2024-02-13T01:00:00+01:00"),
            (Json{{"name", "bad"},
                  {"step", 7},
                  {"value", "NaN"},
                  {"time", "2024-02-13T00:00:00Z"}}));
}

class HostilePoint : public ::testing::TestWithParam<std::string> {};

TEST_P(HostilePoint, IsRefused) {
  try {
    parse_metric_point(GetParam());
    FAIL() << GetParam();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Lines, HostilePoint,
    ::testing::Values(
        "", "[]", "loss 1 2", R"({"name":"l","step":1,"value":NaN})",
        R"({"name":"l","step":1})", R"({"name":"l","value":1})", R"({"step":1,"value":1})",
        R"({"name":"","step":1,"value":1})", R"({"name":7,"step":1,"value":1})",
        R"({"name":"a\u0001b","step":1,"value":1})", R"({"name":"l","step":1.5,"value":1})",
        R"({"name":"l","step":-1,"value":1})",
        R"({"name":"l","step":9007199254740993,"value":1})",
        R"({"name":"l","step":1,"value":"nan"})", R"({"name":"l","step":1,"value":true})",
        R"({"name":"l","step":1,"value":1e999})",
        R"({"name":"l","step":1,"value":1,"time":"yesterday"})",
        R"({"name":"l","step":1,"value":1,"time":5})",
        R"({"name":"l","step":1,"value":1,"epoch":2})"));

TEST(MetricPoint, IsRefusedIfItIsTooLong) {
  const std::string name(256, 'x');
  EXPECT_THROW(parse_metric_point(R"({"name":")" + name + R"(","step":1,"value":1})"),
               Error);
  const std::string blanks(kPointSizeMax, ' ');
  EXPECT_THROW(parse_metric_point(blanks + R"({"name":"l","step":1,"value":1})"), Error);
}

}  // namespace
}  // namespace mendel::cli
