#include "registry/services/egress/moved_refs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kA(40, 'a');
const std::string kB(40, 'b');

TEST(MovedRefs, AreThoseThatAreNewOrElsewhere) {
  const auto moves = compare_refs(
      {{"refs/heads/gone", kA}, {"refs/heads/main", kA}, {"refs/heads/still", kA}},
      {{"refs/heads/main", kB}, {"refs/heads/still", kA}, {"refs/tags/v1", kB}}, 10);
  ASSERT_THAT(moves.moved, SizeIs(2));
  EXPECT_EQ(moves.moved[0].ref, "refs/heads/main");
  EXPECT_EQ(moves.moved[0].before, kA);
  EXPECT_EQ(moves.moved[0].after, kB);
  EXPECT_EQ(moves.moved[1].before, std::nullopt);
  EXPECT_EQ(
      moves.seen,
      (Refs{{"refs/heads/main", kB}, {"refs/heads/still", kA}, {"refs/tags/v1", kB}}));
  EXPECT_TRUE(moves.is_all);
}

// Goal: however many move at once, each is told of once.
TEST(MovedRefs, AreFoundByAndBy) {
  Refs before{{"refs/heads/0", kA}};
  Refs now;
  for (int i = 0; i < 25; ++i) now.emplace("refs/heads/" + std::to_string(i), kB);
  Refs told;
  for (int looks = 0; looks < 3; ++looks) {
    const auto moves = compare_refs(before, now, 10);
    for (const auto& move : moves.moved)
      EXPECT_TRUE(told.emplace(move.ref, move.after).second);
    EXPECT_EQ(moves.is_all, looks == 2);
    before = read_refs(write_refs(moves.seen));
  }
  EXPECT_EQ(told, now);
  EXPECT_THAT(compare_refs(before, now, 10).moved, IsEmpty());
}

TEST(MovedRefs, AreReadAsTheyWereWritten) {
  const Refs refs{{"refs/heads/a\"b\\", kA}, {"refs/heads/\xc3\xbc", kB}};
  EXPECT_EQ(read_refs(write_refs(refs)), refs);
  EXPECT_THAT(read_refs("{}"), IsEmpty());
  for (const char* text : {"", "[]", "{", R"({"x":1})", R"({"x":"main"})"}) {
    EXPECT_THROW(read_refs(text), Error) << text;
  }
}

}  // namespace
}  // namespace mendel::registry
