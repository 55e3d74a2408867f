#include "cli/key_value.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

TEST(KeyValue, SplitsAtTheFirstEqualsSign) {
  const KeyValue pair = parse_key_value("--label", "cut=pt>2=GeV");
  EXPECT_EQ(pair.key, "cut");
  EXPECT_EQ(pair.value, "pt>2=GeV");
}

TEST(KeyValue, RefusesWhatIsNoPair) {
  for (const char* text : {"", "x", "=x", "x="}) {
    EXPECT_THROW(parse_key_value("--label", text), Error) << text;
  }
}

TEST(MetricValue, WritesWhatJsonCannotCarryAsText) {
  EXPECT_EQ(metric_value({"m", "2.5"}), Json(2.5));
  EXPECT_EQ(metric_value({"m", "nan"}), Json("NaN"));
  EXPECT_EQ(metric_value({"m", "inf"}), Json("Infinity"));
  EXPECT_EQ(metric_value({"m", "-inf"}), Json("-Infinity"));
}

TEST(MetricValue, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "two", "2.5x", " 2"}) {
    EXPECT_THROW(metric_value({"m", text}), Error) << text;
  }
}

}  // namespace
}  // namespace mendel::cli
