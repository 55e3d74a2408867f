#include "cli/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "storage/base/error.h"
#include "storage/canonical_json.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json yaml(const std::string& text, Lossy lossy = Lossy::refuse) {
  return parse_params(text, ParamsNotation::yaml, lossy);
}

json from_json(const std::string& text, Lossy lossy = Lossy::refuse) {
  return parse_params(text, ParamsNotation::json, lossy);
}

template <typename Read>
Error refusal(Read read) {
  try {
    const json accepted = read();
    ADD_FAILURE() << "was not refused: " << accepted.dump().substr(0, 200);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::internal, "");
}

std::string yaml_refusal(const std::string& text) {
  return refusal([&] { return yaml(text); }).what();
}

std::string json_refusal(const std::string& text) {
  return refusal([&] { return from_json(text); }).what();
}

TEST(YamlParams, ResolvesPlainScalarsByTheCoreSchema) {
  const std::vector<std::pair<std::string, std::string>> scalars = {
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"Null", "null"},
      {"NULL", "null"},
      {"nULL", R"("nULL")"},
      {"true", "true"},
      {"True", "true"},
      {"FALSE", "false"},
      {"tRue", R"("tRue")"},
      {"yes", R"("yes")"},
      {"no", R"("no")"},
      {"on", R"("on")"},
      {"y", R"("y")"},
      {"0", "0"},
      {"-0", "0"},
      {"+12", "12"},
      {"-12", "-12"},
      {"012", "12"},
      {"0o17", "15"},
      {"0o18", R"("0o18")"},
      {"0x10", "16"},
      {"0xDeadBeef", "3735928559"},
      {"-0x10", R"("-0x10")"},
      {"0b1", R"("0b1")"},
      {"1_000", R"("1_000")"},
      {"12:30:45", R"("12:30:45")"},
      {"2016-01-28", R"("2016-01-28")"},
      {"1e-3", "0.001"},
      {"1E3", "1000"},
      {"+1.5e+2", "150"},
      {".5", "0.5"},
      {"-.5", "-0.5"},
      {"5.", "5"},
      {"5.e1", "50"},
      {".", R"(".")"},
      {"e5", R"("e5")"},
      {"1e", R"("1e")"},
      {"1.2.3", R"("1.2.3")"},
      {"0.00002", "0.00002"},
      {"9007199254740992", "9007199254740992"},
      {"-9007199254740992", "-9007199254740992"},
      {"inf", R"("inf")"},
      {"nan", R"("nan")"},
      {"\"12\"", R"("12")"},
      {"'true'", R"("true")"},
      {"\"\"", R"("")"},
      {"'<<'", R"("<<")"},
      {"|\n  text", R"("text\n")"},
      {"a b # comment", R"("a b")"},
  };
  for (const auto& [scalar, expected] : scalars) {
    EXPECT_EQ(storage::canonical_json(yaml("a: " + scalar + "\n")),
              "{\"a\":" + expected + "}")
        << scalar;
  }
}

TEST(YamlParams, HonoursTheTagsOfTheCoreSchema) {
  EXPECT_EQ(yaml("{a: !!str 12, b: !!int \"12\", c: !!float 1, d: !!bool 'true', "
                 "e: !!null '', f: ! 12, g: !!map {}, h: !!seq []}"),
            json::parse(R"({"a":"12","b":12,"c":1.0,"d":true,"e":null,"f":"12","g":{},
                            "h":[]})"));
  EXPECT_THAT(yaml_refusal("a: !!int 1.5"), HasSubstr("/a (line 1) is 1.5"));
  for (const char* tag : {"!!binary aGk=", "!!timestamp 2016-01-28", "!mine 1", "!!set {a}",
                          "!<tag:example.org,2000:x> {}"}) {
    EXPECT_THAT(yaml_refusal("a: " + std::string(tag)), HasSubstr("/a")) << tag;
    EXPECT_THAT(yaml_refusal("a: " + std::string(tag)), HasSubstr("tag")) << tag;
  }
}

TEST(YamlParams, ResolvesAnchorsAndMerges) {
  EXPECT_EQ(yaml(R"(
base: &base {lr: 1e-3, layers: [128, 128]}
more: &more
  lr: 5
  depth: 2
a: *base
b:
  <<: *base
  lr: 0.1
c:
  <<: [*more, *base]
  name: c
d:
  "<<": text
)"),
            json::parse(R"({
    "base": {"lr": 0.001, "layers": [128, 128]}, "more": {"lr": 5, "depth": 2},
    "a": {"lr": 0.001, "layers": [128, 128]}, "b": {"lr": 0.1, "layers": [128, 128]},
    "c": {"lr": 5, "depth": 2, "layers": [128, 128], "name": "c"}, "d": {"<<": "text"}})"));
  EXPECT_THAT(yaml_refusal("a: {<<: 1}"), HasSubstr("no mapping"));
  EXPECT_THAT(yaml_refusal("a: *nowhere"), HasSubstr("not YAML"));
  EXPECT_THAT(yaml_refusal("a: &a [*a]"), HasSubstr("contains it"));
  EXPECT_THAT(yaml_refusal("a: &a b\n*a : c"), HasSubstr("alias as a name"));
}

TEST(YamlParams, RefusesWithTheLineWhatWouldBeLost) {
  EXPECT_THAT(yaml_refusal("a: 1\nb:\n  c: 1\n  c: 2\n"),
              HasSubstr("/b (line 4) has the name 'c' twice"));
  EXPECT_THAT(yaml_refusal("a: {<<: {b: 1}, <<: {c: 1}}"), HasSubstr("'<<' twice"));
  EXPECT_THAT(yaml_refusal("2016: data"), HasSubstr("the name 2016, which is not text"));
  EXPECT_THAT(yaml_refusal("a: {true: 1}"), HasSubstr("/a (line 1) has the name true"));
  EXPECT_THAT(yaml_refusal("~: 1"), HasSubstr("which is not text"));
  EXPECT_THAT(yaml_refusal("? [a, b]\n: 1"), HasSubstr("list or a mapping as a name"));
  EXPECT_THAT(yaml_refusal("a: 1\n---\nb: 2\n"), HasSubstr("more than one YAML document"));
  EXPECT_THAT(yaml_refusal("- 1\n- 2\n"), HasSubstr("no mapping"));
  EXPECT_THAT(yaml_refusal(""), HasSubstr("no mapping"));
  EXPECT_THAT(yaml_refusal("a: [1, 2"), HasSubstr("not YAML"));
  EXPECT_THAT(yaml_refusal("a: \"x\\0y\""), HasSubstr("NUL"));
  EXPECT_THAT(yaml_refusal("a: \xff"), HasSubstr("UTF-8"));
}

TEST(YamlParams, RefusesNumbersThatJsonCannotCarryWithTheirPlace) {
  for (const char* number :
       {".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1e400", "-1e999", "9007199254740993",
        "-9007199254740993", "0x20000000000001", "123456789012345678901234567890"}) {
    const std::string text = "a:\n  - ok\n  - {lr/x: " + std::string(number) + "}\n";
    const Error error = refusal([&] { return yaml(text); });
    EXPECT_THAT(error.what(), HasSubstr("/a/1/lr~1x (line 3) is")) << number;
    EXPECT_EQ(error.fields().at(0).pointer, "/a/1/lr~1x");
    EXPECT_EQ(yaml(text, Lossy::as_text)["a"][1]["lr/x"], number);
  }
}

TEST(YamlParams, StopsAliasBombsAndTooDeepNesting) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + before;
    for (int j = 0; j < 8; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_EQ(refusal([&] { return yaml(bomb); }).code(), ErrorCode::too_large);

  std::string fat = "a: &a " + std::string(100'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 60; ++i) fat += ", *a";
  EXPECT_EQ(refusal([&] { return yaml(fat + "]"); }).code(), ErrorCode::too_large);

  const auto nested = [](std::size_t depth) {
    return "a: " + std::string(depth - 1, '[') + std::string(depth - 1, ']');
  };
  EXPECT_EQ(yaml(nested(kParamsDepthMax)).size(), 1u);
  EXPECT_THAT(yaml_refusal(nested(kParamsDepthMax + 2)), HasSubstr("nested deeper"));
  EXPECT_THAT(yaml_refusal("a: " + std::string(100'000, '[')), HasSubstr("not YAML"));
}

TEST(JsonParams, ReadsWhatTheRfcHas) {
  EXPECT_EQ(from_json(" {\"a\" : [1, -0, 2.5e-3, true, false, null, {}, []],\r\n"
                      "\t\"\\u00e9\\ud83d\\ude00\\n\\\"\\/\": \"\xE2\x82\xAC\"}\n"),
            json::parse("{\"a\":[1,0,0.0025,true,false,null,{},[]],"
                        "\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"/\":\"\xE2\x82\xAC\"}"));
  EXPECT_EQ(from_json("\xEF\xBB\xBF{}"), json::object());
}

TEST(JsonParams, RefusesWhatItDoesNotHave) {
  for (const char* bad : {"",
                          "{",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{\"a\":[1,]}",
                          "{\"a\":01}",
                          "{\"a\":+1}",
                          "{\"a\":.5}",
                          "{\"a\":5.}",
                          "{\"a\":1e}",
                          "{\"a\":-}",
                          "{a:1}",
                          "{'a':1}",
                          "{\"a\":\"\\x\"}",
                          "{\"a\":\"\\ud800\"}",
                          "{\"a\":\"\\udc00\"}",
                          "{\"a\":\"\\ud800\\u0041\"}",
                          "{\"a\":\"\\u00g0\"}",
                          "{\"a\":\"\n\"}",
                          "{\"a\":\"",
                          "{\"a\":\"\\",
                          "{} {}",
                          "{\"a\":tru}",
                          "// no\n{}",
                          "{\"a\":0x10}"}) {
    EXPECT_THAT(json_refusal(bad), HasSubstr("not JSON")) << bad;
  }
  EXPECT_THAT(json_refusal("[1]"), HasSubstr("no mapping"));
  EXPECT_THAT(json_refusal("{\"a\":\"\\u0000\"}"), HasSubstr("NUL"));
  EXPECT_THAT(json_refusal("{\"a\":1,\n\"b\":{\"c\":1,\n\"c\":2}}"),
              HasSubstr("/b (line 3) has the member 'c' twice"));
  EXPECT_THAT(json_refusal(std::string(100'000, '[')), HasSubstr("nested deeper"));
}

TEST(JsonParams, RefusesNumbersThatItCannotCarryWithTheirPlace) {
  for (const char* number : {"NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400",
                             "9007199254740993", "-18446744073709551616"}) {
    const std::string text = "{\"t\":\n{\"lr\":[0," + std::string(number) + "]}}";
    const Error error = refusal([&] { return from_json(text); });
    EXPECT_THAT(error.what(), HasSubstr("/t/lr/1 (line 2) is")) << number;
    EXPECT_EQ(from_json(text, Lossy::as_text)["t"]["lr"][1], number);
  }
}

class ParamsFile : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    write_file(directory_ / name, content);
    return directory_ / name;
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(ParamsFile, IsReadInTheNotationOfItsName) {
  EXPECT_EQ(load_params(write("a.yml", "{lr: 1}"), Lossy::refuse), json({{"lr", 1}}));
  EXPECT_EQ(load_params(write("a.yaml", "lr: no"), Lossy::refuse), json({{"lr", "no"}}));
  EXPECT_EQ(load_params(write("a.json", "{\"lr\":1}"), Lossy::refuse), json({{"lr", 1}}));
  EXPECT_EQ(load_params(write("any", " {\"lr\":1}"), Lossy::refuse), json({{"lr", 1}}));
  EXPECT_EQ(load_params(write("any", "lr: 1"), Lossy::refuse), json({{"lr", 1}}));
  const std::string wrong = write("b.json", "lr: 1");
  EXPECT_THAT(refusal([&] { return load_params(wrong, Lossy::refuse); }).what(),
              HasSubstr(wrong));
}

TEST_F(ParamsFile, IsNamedWhenItCannotBeRead) {
  const std::string absent = directory_ / "absent.yml";
  EXPECT_THAT(refusal([&] { return load_params(absent, Lossy::refuse); }).what(),
              HasSubstr("absent.yml"));
  const std::string large = write("large.yml", std::string(kParamsSizeMax + 1, '#'));
  EXPECT_EQ(refusal([&] { return load_params(large, Lossy::refuse); }).code(),
            ErrorCode::too_large);
}

// The users' own files, where they are at hand.
TEST(RealParams, Load) {
  const char* const root = std::getenv("MENDEL_REAL_DATA");
  if (root == nullptr) GTEST_SKIP() << "MENDEL_REAL_DATA names no folder with real input";
  const std::filesystem::path folder = std::filesystem::path(root) / "lamarr" / "params";
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const json params = load_params(file.path(), Lossy::refuse);
    EXPECT_GT(params.size(), 0u) << file.path();
    EXPECT_EQ(json::parse(storage::canonical_json(params)), params) << file.path();
    ++count;
  }
  EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace mendel::cli
