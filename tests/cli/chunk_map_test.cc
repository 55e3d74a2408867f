#include "cli/chunk_map.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

Digest digest_of(int number) { return Digest::of("digest " + std::to_string(number)); }

TEST(ChunkMap, FindsNothingWhileItIsEmpty) {
  EXPECT_EQ(ChunkMap().find(digest_of(1)), std::nullopt);
}

TEST(ChunkMap, FindsThePackOfEveryChunkAsItGrows) {
  constexpr int kCount = 20'000;
  ChunkMap map;
  for (int i = 0; i < kCount; ++i) map.add(digest_of(i), digest_of(-1 - i % 7));
  EXPECT_EQ(map.size(), std::size_t{kCount});
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(map.find(digest_of(i)), digest_of(-1 - i % 7));
  EXPECT_EQ(map.find(digest_of(kCount)), std::nullopt);
}

TEST(ChunkMap, KeepsTheFirstPackOfAChunk) {
  ChunkMap map;
  map.add(digest_of(1), digest_of(10));
  map.add(digest_of(1), digest_of(11));
  EXPECT_EQ(map.find(digest_of(1)), digest_of(10));
}

}  // namespace
}  // namespace mendel::cli
