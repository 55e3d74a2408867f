#include "registry/services/egress/ls_remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mendel::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::string kA(40, 'a');
const std::string kB(40, 'b');
const std::string kC(40, 'c');

TEST(LsRemote, GivesAnAnnotatedTagTheCommitThatItStandsFor) {
  EXPECT_THAT(parse_refs(kA + "\tHEAD\n" + kA + "\trefs/heads/main\n" + kB +
                         "\trefs/tags/v1\n" + kC + "\trefs/tags/v1^{}\n"),
              UnorderedElementsAre(Pair("HEAD", kA), Pair("refs/heads/main", kA),
                                   Pair("refs/tags/v1", kC)));
  EXPECT_TRUE(parse_refs("").empty());
}

TEST(LsRemote, PassesOverNamesThatGitWouldRefuse) {
  EXPECT_THAT(parse_refs(kA + "\trefs/heads/../x\n" + kA + "\t--upload-pack=x\n" + kA +
                         "\trefs/heads/a b\n" + kA + "\trefs/heads/ok\n"),
              UnorderedElementsAre(Pair("refs/heads/ok", kA)));
}

TEST(LsRemote, RefusesWhatIsNoList) {
  for (const std::string& text :
       {std::string("\n"), std::string("<html>"), kA, kA + " refs/heads/x\n",
        std::string(39, 'a') + "\trefs/heads/x\n",
        std::string(40, 'A') + "\trefs/heads/x\n", "x" + kA + "\trefs/heads/x\n"}) {
    try {
      parse_refs(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable);
    }
  }
}

TEST(LsRemote, PrefersABranchToATagOfThatName) {
  const std::map<std::string, std::string> refs{
      {"HEAD", kA}, {"refs/heads/x", kA}, {"refs/tags/x", kB}, {"refs/tags/v1", kC}};
  EXPECT_EQ(find_commit(refs, "x"), kA);
  EXPECT_EQ(find_commit(refs, "v1"), kC);
  EXPECT_EQ(find_commit(refs, "refs/tags/x"), kB);
  EXPECT_EQ(find_commit(refs, "HEAD"), kA);
  EXPECT_EQ(find_commit(refs, "heads/x"), std::nullopt);
}

TEST(RefName, FollowsTheRulesOfGit) {
  for (const char* name : {"main", "feature/a-b", "v1.0", "refs/heads/main", "a@b", "ü"}) {
    EXPECT_TRUE(is_ref_name(name)) << name;
  }
  for (const char* name : {"",         "-x",   "--upload-pack=x",
                           "a..b",     "a b",  "a~1",
                           "a^",       "a:b",  "a?",
                           "a*",       "a[",   "a\\b",
                           "/a",       "a/",   "a//b",
                           ".a",       "a/.b", "a.lock",
                           "a.lock/b", "a.",   "@",
                           "a@{1}",    "a\nb", "a\x7f"}) {
    EXPECT_FALSE(is_ref_name(name)) << name;
  }
  EXPECT_FALSE(is_ref_name(std::string(1001, 'a')));
}

TEST(GitFailure, IsForGoodWhereTheRepositoryIsGoneOrClosed) {
  const auto code_of = [](const char* said) {
    return explain_git_failure("https://example.org/x", said).code();
  };
  EXPECT_EQ(code_of("fatal: repository 'https://example.org/x/' not found"),
            ErrorCode::not_found);
  EXPECT_EQ(code_of("fatal: unable to access 'x': The requested URL returned error: 301"),
            ErrorCode::not_found);
  EXPECT_EQ(code_of("fatal: could not read Username for 'x': terminal prompts disabled"),
            ErrorCode::permission_denied);
  EXPECT_EQ(code_of("fatal: unable to access 'x': The requested URL returned error: 403"),
            ErrorCode::permission_denied);
  EXPECT_EQ(code_of("fatal: unable to access 'x': The requested URL returned error: 503"),
            ErrorCode::unavailable);
  EXPECT_EQ(code_of(""), ErrorCode::unavailable);
}

TEST(GitFailure, IsToldInOneHarmlessLine) {
  const Error error = explain_git_failure(
      "https://example.org/x", "warning: a\nfatal: \x1b[31mred\x1b[0m\nremote: b\n");
  EXPECT_THAT(error.what(), HasSubstr(": ?[31mred?[0m"));
  EXPECT_LT(std::string(explain_git_failure("x", std::string(5000, 'y')).what()).size(),
            400u);
}

}  // namespace
}  // namespace mendel::registry
