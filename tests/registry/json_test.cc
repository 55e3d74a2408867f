#include "registry/api/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> pointers_of(ObjectReader& reader) {
  try {
    reader.finish();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    std::vector<std::string> pointers;
    for (const FieldError& field : error.fields()) pointers.push_back(field.pointer);
    return pointers;
  }
  return {};
}

TEST(StrictJson, RefusesWhatIsNotOneValue) {
  for (const char* text : {"", "{", "{}{}", "[1,]", "nul", "{\"a\":1,}", "\xff",
                           "\"\xc3\x28\"", "// comment\n{}", "{\"a\":NaN}"}) {
    EXPECT_THROW(parse_json(text), Error) << text;
  }
}

TEST(StrictJson, RefusesAMemberThatOccursTwice) {
  EXPECT_THROW(parse_json(R"({"a":1,"a":2})"), Error);
  EXPECT_THROW(parse_json(R"({"b":{"a":1,"a":2}})"), Error);
  EXPECT_NO_THROW(parse_json(R"({"b":{"a":1},"c":{"a":1}})"));
}

TEST(StrictJson, RefusesWholeNumbersThatItWouldRound) {
  EXPECT_EQ(parse_json("18446744073709551615").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parse_json("1e20").get<double>(), 1e20);
  EXPECT_THROW(parse_json("18446744073709551616"), Error);
  EXPECT_THROW(parse_json(R"({"seed":-99999999999999999999})"), Error);
}

TEST(StrictJson, RefusesDeepNestingAndTakesShallow) {
  const auto nested = [](int depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(64)));
  EXPECT_THROW(parse_json(nested(65)), Error);
  EXPECT_THROW(parse_json(std::string(1 << 20, '[')), Error);
}

TEST(ObjectReader, NamesEveryBrokenField) {
  ObjectReader reader(parse_json(R"({"version":"x","reason":3,"extra":1,"a/b":2})"));
  reader.required_integer("version");
  reader.optional_string("reason");
  reader.required_string("missing");
  EXPECT_THAT(pointers_of(reader),
              ElementsAre("/version", "/reason", "/missing", "/a~1b", "/extra"));
}

TEST(ObjectReader, LocatesProblemsInListsOfObjects) {
  ObjectReader reader(
      parse_json(R"({"files":[{"path":"a"},{"path":1},3,{"path":"b","x":0}]})"));
  std::vector<std::string> paths;
  reader.each_object(
      "files", [&](ObjectReader& file) { paths.push_back(file.required_string("path")); });
  EXPECT_THAT(paths, ElementsAre("a", "", "b"));
  EXPECT_THAT(pointers_of(reader), ElementsAre("/files/1/path", "/files/2", "/files/3/x"));
}

TEST(ObjectReader, TurnsTheDomainsRefusalIntoAProblemOfTheField) {
  ObjectReader reader(parse_json(R"({"digest":"sha1:00"})"));
  EXPECT_EQ(reader.optional_digest("digest"), std::nullopt);
  EXPECT_THAT(pointers_of(reader), ElementsAre("/digest"));
}

TEST(ObjectReader, RefusesNulInText) {
  ObjectReader reader(parse_json("{\"message\":\"a\\u0000b\"}"));
  reader.optional_string("message");
  EXPECT_THAT(pointers_of(reader), ElementsAre("/message"));
}

TEST(ObjectReader, RefusesNumbersThatDoNotFit) {
  ObjectReader reader(parse_json(R"({"a":18446744073709551615,"b":1.5,"c":-3})"));
  reader.required_integer("a");
  reader.required_integer("b");
  EXPECT_EQ(reader.required_integer("c"), -3);
  EXPECT_THAT(pointers_of(reader), ElementsAre("/a", "/b"));
}

TEST(ObjectReader, TakesNothingButAnObject) {
  ObjectReader reader(parse_json("[1]"));
  EXPECT_THAT(pointers_of(reader), ElementsAre(""));
}

}  // namespace
}  // namespace mendel::registry::api
