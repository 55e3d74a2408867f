#include "storage/canonical_json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/error.h"

namespace mendel::storage {
namespace {

using nlohmann::json;

std::string canonical(const std::string& text) { return canonical_json(json::parse(text)); }

// Returns the pointer that the refusal names.
std::string refusal(const json& value) {
  try {
    canonical_json(value);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.fields().at(0).pointer;
  }
  ADD_FAILURE() << "was not refused";
  return "";
}

// RFC 8785, appendix B.
TEST(CanonicalJson, WritesNumbersAsTheRfcsSamples) {
  const std::vector<std::pair<std::uint64_t, std::string>> samples = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : samples) {
    EXPECT_EQ(canonical_json(std::bit_cast<double>(bits)), text);
  }
}

TEST(CanonicalJson, RefusesNumbersThatJsonDoesNotHave) {
  // The two errors of appendix B.
  EXPECT_EQ(refusal(std::bit_cast<double>(0x7fffffffffffffff)), "");
  EXPECT_EQ(refusal(std::bit_cast<double>(0x7ff0000000000000)), "");
  EXPECT_EQ(refusal(json{{"lr", std::nan("")}}), "/lr");
  EXPECT_EQ(refusal(json{{"a/b", {1, std::numeric_limits<double>::infinity()}}}),
            "/a~1b/1");
}

TEST(CanonicalJson, RefusesIntegersBeyondTwoToThe53) {
  EXPECT_EQ(canonical("[9007199254740992,-9007199254740992]"),
            "[9007199254740992,-9007199254740992]");
  EXPECT_EQ(refusal(json::parse(R"({"a":[0,{"n":9007199254740993}]})")), "/a/1/n");
  EXPECT_EQ(refusal(json::parse("-9007199254740993")), "");
  EXPECT_EQ(refusal(json::parse("18446744073709551615")), "");
}

// RFC 8785, section 3.2.2.
TEST(CanonicalJson, WritesTheRfcsFirstSample) {
  EXPECT_EQ(canonical(R"({
     "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
     "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
     "literals": [null, true, false]
   })"),
            "{\"literals\":[null,true,false],"
            "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

// RFC 8785, section 3.2.3.
TEST(CanonicalJson, SortsMembersByUtf16CodeUnits) {
  const json sorted = json::parse(canonical(R"({
     "\u20ac": "Euro Sign",
     "\r": "Carriage Return",
     "\ufb33": "Hebrew Letter Dalet With Dagesh",
     "1": "One",
     "\ud83d\ude00": "Emoji: Grinning Face",
     "\u0080": "Control",
     "\u00f6": "Latin Small Letter O With Diaeresis"
   })"));
  const std::string text = canonical(sorted.dump());
  std::size_t last = 0;
  for (const char* value : {"Carriage Return", "One", "Control", "Latin Small", "Euro Sign",
                            "Emoji", "Hebrew"}) {
    const std::size_t at = text.find(value);
    ASSERT_NE(at, text.npos) << value;
    EXPECT_GT(at, last) << value;
    last = at;
  }
}

TEST(CanonicalJson, EscapesOnlyWhatItMust) {
  EXPECT_EQ(canonical_json(json(std::string("\b\f\n\r\t\x01\x1f\x7f\"\\/\0", 12))),
            "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\\"\\\\/\\u0000\"");
}

TEST(CanonicalJson, RefusesTextThatIsNotUtf8) {
  for (const char* bad :
       {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"}) {
    EXPECT_EQ(refusal(json{{"t", bad}}), "/t") << bad;
    EXPECT_EQ(refusal(json{{bad, 1}}), "") << bad;
  }
}

TEST(CanonicalJson, IsTheSameForItsOwnOutput) {
  const std::string text = canonical(R"({"b":[1.0,2,{"z":1,"":0}],"a":{},"c":[]})");
  EXPECT_EQ(text, R"({"a":{},"b":[1,2,{"":0,"z":1}],"c":[]})");
  EXPECT_EQ(canonical(text), text);
}

TEST(CanonicalJson, RefusesWhatIsNestedTooDeeply) {
  json nested = 1;
  for (int i = 0; i < kJsonDepthMax; ++i) nested = json::array({std::move(nested)});
  EXPECT_EQ(canonical_json(nested).size(), 2u * kJsonDepthMax + 1);
  nested = json::array({std::move(nested)});
  EXPECT_EQ(refusal(nested).size(), 2u * kJsonDepthMax);
}

}  // namespace
}  // namespace mendel::storage
