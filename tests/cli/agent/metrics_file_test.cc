#include "cli/agent/metrics_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::cli {
namespace {

using ::testing::HasSubstr;

std::string why_refused(std::string_view text) {
  try {
    parse_metrics_file(text);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unprocessable);
    return error.what();
  }
}

TEST(MetricsFileTest, MayBeOneObjectOfNumbers) {
  const MetricsFile metrics = parse_metrics_file(R"({"chi2": 2.5, "loss": "NaN", "n": 3})");
  EXPECT_EQ(metrics.values, Json::parse(R"({"chi2": 2.5, "loss": "NaN", "n": 3})"));
  EXPECT_TRUE(metrics.points.empty());
}

TEST(MetricsFileTest, MayBePointsOfCurves) {
  const MetricsFile metrics = parse_metrics_file(
      "{\"name\": \"loss\", \"step\": 1, \"value\": 0.5}\n\n"
      "{\"name\": \"loss\", \"step\": 2, \"value\": \"Infinity\"}\n");
  ASSERT_EQ(metrics.points.size(), 2u);
  EXPECT_EQ(metrics.points[1]["step"], 2);
  EXPECT_TRUE(metrics.values.empty());
  EXPECT_EQ(
      parse_metrics_file(R"({"name": "loss", "step": 1, "value": 0.5})").points.size(), 1u);
}

TEST(MetricsFileTest, ThatIsNeitherIsRefused) {
  EXPECT_THAT(why_refused("chi2 = 2.5"), HasSubstr("line 1"));
  EXPECT_THAT(why_refused(R"({"chi2": "good"})"), HasSubstr("\"chi2\""));
  EXPECT_THAT(why_refused(R"({"chi2": {"value": 1}})"), HasSubstr("\"chi2\""));
  EXPECT_THAT(why_refused(R"({"chi2": NaN})"), HasSubstr("NaN"));
  EXPECT_THAT(why_refused("{}"), HasSubstr("no metrics"));
  EXPECT_THAT(why_refused(""), HasSubstr("empty"));
  EXPECT_THAT(why_refused("[1, 2]"), HasSubstr("line 1"));
  EXPECT_THAT(why_refused("{\"name\": \"a\", \"step\": 1, \"value\": 2}\n{\"name\": 1}"),
              HasSubstr("line 2"));
}

}  // namespace
}  // namespace mendel::cli
