#include "storage/base/glob.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/base/error.h"

namespace mendel {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  return Glob::parse(pattern).matches(text);
}

std::string refusal_of(std::string_view pattern) {
  try {
    Glob::parse(pattern);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
}

TEST(Glob, AStarStaysInItsDirectory) {
  EXPECT_TRUE(matches("out/*.so", "out/trk.so"));
  EXPECT_TRUE(matches("out/*.so", "out/.so"));
  EXPECT_FALSE(matches("out/*.so", "out/deep/trk.so"));
  EXPECT_FALSE(matches("out/*.so", "out/trk.so.1"));
  EXPECT_TRUE(matches("*", "main"));
  EXPECT_FALSE(matches("*", "feature/x"));
  EXPECT_TRUE(matches("a*b*c", "axxbyybzzc"));
}

TEST(Glob, TwoStarsCrossDirectories) {
  EXPECT_TRUE(matches("out/**", "out/a/b/c.so"));
  EXPECT_FALSE(matches("out/**", "out"));
  EXPECT_TRUE(matches("**", "any/thing"));
  EXPECT_TRUE(matches("**/*.py", "fit.py"));
  EXPECT_TRUE(matches("**/*.py", "src/deep/fit.py"));
  EXPECT_TRUE(matches("src/**/fit.py", "src/fit.py"));
  EXPECT_TRUE(matches("src/**/fit.py", "src/a/b/fit.py"));
  EXPECT_FALSE(matches("src/**/fit.py", "src/outfit.py"));
  EXPECT_FALSE(matches("src/**/fit.py", "srcfit.py"));
  EXPECT_TRUE(matches("release**end", "release/1/the end"));
}

TEST(Glob, AQuestionMarkIsOneCharacterOfAnyLanguage) {
  EXPECT_TRUE(matches("v?", "v1"));
  EXPECT_TRUE(matches("v?", "v\u00e9"));
  EXPECT_TRUE(matches("v?", "v\xff"));
  EXPECT_FALSE(matches("v?", "v"));
  EXPECT_FALSE(matches("v?", "v/"));
  EXPECT_FALSE(matches("v?", "v12"));
}

TEST(Glob, ASetNamesCharactersOrThoseThatItExcludes) {
  EXPECT_TRUE(matches("201[6-8]MU", "2017MU"));
  EXPECT_FALSE(matches("201[6-8]MU", "2019MU"));
  EXPECT_TRUE(matches("[a_-]", "-"));
  EXPECT_TRUE(matches("[!0-9]x", "ax"));
  EXPECT_FALSE(matches("[!0-9]x", "1x"));
  EXPECT_FALSE(matches("[!0-9]x", "/x"));
}

TEST(Glob, AQuotedCharacterStandsForItself) {
  EXPECT_TRUE(matches("a\\*b", "a*b"));
  EXPECT_FALSE(matches("a\\*b", "axb"));
  EXPECT_TRUE(matches("[\\]]", "]"));
}

TEST(Glob, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(refusal_of(""), "a pattern is not empty, at byte 1 of ''");
  EXPECT_EQ(refusal_of("out/[a-"), "a '[' has no ']', at byte 8 of 'out/[a-'");
  EXPECT_EQ(refusal_of("[z-a]"),
            "a range goes from the lower to the higher, at byte 5 of '[z-a]'");
  EXPECT_EQ(refusal_of("[]"), "a '[…]' names at least one character, at byte 2 of '[]'");
  EXPECT_NE(refusal_of("a\\"), "");
  EXPECT_NE(refusal_of("a\nb"), "");
  EXPECT_NE(refusal_of("[a/b]"), "");
  EXPECT_NE(refusal_of(std::string(Glob::kSizeMax + 1, 'a')), "");
}

// Goal: no pattern makes matching slow. Method: the pattern that is the worst for those who
// try one way after the other; with them this test would not end.
TEST(Glob, ManyStarsCostNoMoreThanOne) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern, std::string(4096, 'a') + "b"));
  std::string across;
  for (int i = 0; i < 200; ++i) across += "**/a";
  EXPECT_FALSE(matches(across, std::string(4096, '/') + "b"));
}

}  // namespace
}  // namespace mendel
