#include "cli/background_sha256.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/testing/random_bytes.h"

namespace mendel::cli {
namespace {

TEST(BackgroundSha256, IsThatOfAllBytesHoweverTheyCame) {
  constexpr std::size_t kBlock = BlockQueue::kBlockSizeBytes;
  constexpr std::size_t kPieceBytes = 70'001;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBlock, kBlock + 1,
                                 2 * BlockQueue::kBlocks * kBlock + 5}) {
    const auto bytes = testing::random_bytes(size, 1);
    BackgroundSha256 sha256;
    for (std::size_t at = 0; at < size; at += kPieceBytes) {
      sha256.update(std::span(bytes).subspan(at, std::min(kPieceBytes, size - at)));
    }
    EXPECT_EQ(sha256.finish(), Digest::of(bytes)) << size;
  }
}

TEST(BackgroundSha256, MayBeGivenUp) {
  BackgroundSha256 sha256;
  sha256.update(testing::random_bytes(2 * BlockQueue::kBlockSizeBytes, 1));
}

}  // namespace
}  // namespace mendel::cli
