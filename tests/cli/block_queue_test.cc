#include "cli/block_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "tests/testing/random_bytes.h"

namespace mendel::cli {
namespace {

TEST(BlockQueue, GivesTheReaderWhatWasWritten) {
  constexpr std::size_t kSize = 3 * BlockQueue::kBlocks * BlockQueue::kBlockSizeBytes / 2;
  const auto written = testing::random_bytes(kSize, 1);
  BlockQueue queue;
  std::jthread writer([&] {
    for (std::size_t at = 0; at < kSize; at += 70'001) {
      queue.write(
          std::span(written).subspan(at, std::min<std::size_t>(70'001, kSize - at)));
    }
    queue.close();
  });
  std::vector<std::byte> read;
  std::vector<std::byte> buffer(300'000);
  while (const std::size_t count = queue.next(buffer)) {
    read.insert(read.end(), buffer.begin(), buffer.begin() + std::ptrdiff_t(count));
  }
  EXPECT_EQ(Digest::of(read), Digest::of(written));
}

TEST(BlockQueue, LetsTheReaderHaveAPartOfABlockAfterAFlush) {
  BlockQueue queue;
  queue.write(as_bytes("abc"));
  queue.flush();
  std::vector<std::byte> buffer(10);
  EXPECT_EQ(queue.next(buffer), 3u);
}

TEST(BlockQueue, WakesAWriterThatWaitsForRoomWhenTheReaderFails) {
  BlockQueue queue;
  const std::vector<std::byte> block(BlockQueue::kBlockSizeBytes);
  for (std::size_t i = 0; i < BlockQueue::kBlocks; ++i) queue.write(block);
  std::jthread reader([&] {
    queue.fail(std::make_exception_ptr(Error(ErrorCode::unavailable, "it broke")));
  });
  EXPECT_THROW(queue.write(block), Error);
}

TEST(BlockQueue, WakesAReaderThatWaitsForBytesWhenTheWriterFails) {
  BlockQueue queue;
  std::jthread writer([&] {
    queue.fail(std::make_exception_ptr(Error(ErrorCode::cancelled, "given up")));
  });
  std::vector<std::byte> buffer(10);
  EXPECT_THROW(queue.next(buffer), Error);
}

TEST(BlockQueue, CanBeUsedAgainAfterItsEnd) {
  BlockQueue queue;
  std::vector<std::byte> buffer(10);
  for (int round = 0; round < 2; ++round) {
    queue.write(as_bytes("abc"));
    queue.close();
    EXPECT_EQ(queue.next(buffer), 3u);
    EXPECT_EQ(queue.next(buffer), 0u);
    queue.reset();
  }
}

}  // namespace
}  // namespace mendel::cli
