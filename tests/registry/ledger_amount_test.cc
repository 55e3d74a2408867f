#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "registry/services/ledger/amount.h"
#include "storage/base/error.h"

namespace mendel::registry {
namespace {

TEST(Amount, IsThePlainShortestDecimal) {
  const std::pair<double, const char*> amounts[] = {{0, "0"},
                                                    {-0.0, "0"},
                                                    {1, "1"},
                                                    {1000, "1000"},
                                                    {0.1, "0.1"},
                                                    {-12.5, "-12.5"},
                                                    {1e-9, "0.000000001"},
                                                    {1e18, "1000000000000000000"},
                                                    {123456789.125, "123456789.125"}};
  for (const auto& [number, text] : amounts) {
    EXPECT_EQ(Amount::of(number).text(), text);
    EXPECT_EQ(Amount::of(number).to_double(), number);
  }
}

TEST(Amount, ReadsBackAsTheSameNumber) {
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> exponent(-9, 18);
  for (int i = 0; i < 10'000; ++i) {
    const double number = std::pow(10, exponent(random)) * (i % 2 == 0 ? 1 : -1);
    const Amount amount = Amount::of(number);
    EXPECT_EQ(amount.to_double(), number);
    EXPECT_EQ(Amount::parse(amount.text()), amount);
  }
}

TEST(Amount, RefusesWhatItDoesNotKeep) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (const double number : {1e-10, -1e-10, 1.1e18, -1e19, infinity, -infinity, none}) {
    EXPECT_THROW(Amount::of(number), Error) << number;
  }
}

TEST(Amount, ParsesWhatPostgresWrites) {
  const std::pair<const char*, const char*> texts[] = {
      {"12.50", "12.5"}, {"-0.00", "0"},   {"000", "0"},
      {"0010", "10"},    {"-7.000", "-7"}, {"0.000000001000", "0.000000001"}};
  for (const auto& [text, plain] : texts) EXPECT_EQ(Amount::parse(text).text(), plain);
  for (const char* text : {"", "-", "NaN", "1e5", "1.", ".5", "1.2.3", "+1", " 1"}) {
    EXPECT_THROW(Amount::parse(text), Error) << text;
  }
}

TEST(Amount, KnowsItsSign) {
  EXPECT_TRUE(Amount().is_zero());
  EXPECT_TRUE(Amount::of(-1).is_negative());
  EXPECT_FALSE(Amount::of(0.5).is_negative());
  EXPECT_FALSE(Amount::of(0.5).is_zero());
}

}  // namespace
}  // namespace mendel::registry
