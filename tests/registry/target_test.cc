#include "registry/api/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::registry::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Target, IsTakenApartAndDecoded) {
  const Target target = parse_target("/api/v1/a%20b/c%2Fd?x=1&y=a+b%26&z");
  EXPECT_THAT(target.parts, ElementsAre("api", "v1", "a b", "c/d"));
  EXPECT_THAT(target.query, ElementsAre(Pair("x", "1"), Pair("y", "a b&"), Pair("z", "")));
}

TEST(Target, KeepsEmptyPartsSoThatTheyMatchNothing) {
  EXPECT_THAT(parse_target("/a//b/").parts, ElementsAre("a", "", "b", ""));
  EXPECT_THAT(parse_target("/?").query, IsEmpty());
}

TEST(Target, RefusesWhatCannotBeDecoded) {
  for (const char* target : {"", "a", "*", "http://x/", "/%", "/%2", "/%zz", "/%00", "/%ff",
                             "/?a=%00", "/?%c3%28=1"}) {
    EXPECT_THROW(parse_target(target), Error) << target;
  }
}

TEST(Authorization, GivesTheTokenOfBearerAndOfBasic) {
  EXPECT_EQ(token_of("Bearer mdl_x"), "mdl_x");
  EXPECT_EQ(token_of("bearer mdl_x"), "mdl_x");
  EXPECT_EQ(token_of("Basic dXNlcjptZGxfeA=="), "mdl_x");  // user:mdl_x
  EXPECT_EQ(token_of("Basic OmE6Yg=="), "a:b");            // :a:b
}

TEST(Authorization, RefusesOtherSchemesAndBrokenOnes) {
  for (const char* header : {"", "Bearer", "Digest x", "Basic", "Basic !!!!",
                             "Basic dXNlcg==", "Basic dXNlcjptZGxfe", "Bearer:x"}) {
    EXPECT_EQ(token_of(header), std::nullopt) << header;
  }
}

TEST(PercentEncoding, LeavesPathsReadableAndSafe) {
  EXPECT_EQ(percent_encode_path("a b/ü?#%.so"), "a%20b/%C3%BC%3F%23%25.so");
}

}  // namespace
}  // namespace mendel::registry::api
