#include "storage/chunker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "storage/base/digest.h"
#include "tests/testing/random_bytes.h"

namespace mendel::storage {
namespace {

using testing::random_bytes;
using testing::SeededRandom;
using Bytes = std::vector<std::byte>;

std::vector<std::size_t> chunk_sizes(std::span<const std::byte> data) {
  std::vector<std::size_t> sizes;
  while (!data.empty()) {
    sizes.push_back(first_chunk_size(data));
    data = data.subspan(sizes.back());
  }
  return sizes;
}

std::set<Digest> chunk_digests(std::span<const std::byte> data) {
  std::set<Digest> digests;
  while (!data.empty()) {
    const std::size_t size = first_chunk_size(data);
    digests.insert(Digest::of(data.first(size)));
    data = data.subspan(size);
  }
  return digests;
}

std::string as_lines(const std::vector<std::size_t>& sizes) {
  std::string lines;
  for (const std::size_t size : sizes) lines += std::to_string(size) + "\n";
  return lines;
}

// A change of these numbers is a change of the format: what is stored already would no
// longer be found as a duplicate.
TEST(Chunker, CutsWhereFormatVersion1Does) {
  const auto sizes = chunk_sizes(random_bytes(16 << 20, 2024));
  ASSERT_GE(sizes.size(), 5u);
  EXPECT_EQ(std::vector(sizes.begin(), sizes.begin() + 5),
            (std::vector<std::size_t>{108099, 59751, 80489, 60370, 83212}));
  EXPECT_EQ(Digest::of(as_lines(sizes)).to_string(),
            "sha256:6d0c3c250f1bbc8c89f85a1e4531f808665ba685aa959d6d28f1cafd35698631");
}

TEST(Chunker, KeepsItsBounds) {
  const auto sizes = chunk_sizes(random_bytes(64 << 20, 1));
  EXPECT_GE(*std::min_element(sizes.begin(), sizes.end() - 1), kChunkSizeMin);
  EXPECT_LE(*std::ranges::max_element(sizes), kChunkSizeMax);
}

TEST(Chunker, MakesChunksOfTheTargetSizeOnNoise) {
  const std::size_t size = 64 << 20;
  const std::size_t mean = size / chunk_sizes(random_bytes(size, 1)).size();
  EXPECT_NEAR(static_cast<double>(mean), kChunkSizeTarget, 0.03 * kChunkSizeTarget);
}

TEST(Chunker, LeavesSmallDataWhole) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunkSizeMin}) {
    EXPECT_EQ(first_chunk_size(random_bytes(size, 1)), size);
  }
}

TEST(Chunker, LooksNoFurtherThanTheLargestChunk) {
  SeededRandom random(1);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Bytes data = random_bytes(kChunkSizeMax + random.below(100'000), seed);
    const std::size_t size = first_chunk_size(data);
    EXPECT_EQ(first_chunk_size(std::span(data).first(kChunkSizeMax)), size);
    EXPECT_EQ(first_chunk_size(std::span(data).first(size)), size);
  }
}

// A run of one byte value has nothing to cut by: it must not dissolve into tiny chunks.
TEST(Chunker, CutsRunsOfAnyOneByteIntoTheLargestChunks) {
  for (int value = 0; value < 256; ++value) {
    const Bytes run(kChunkSizeMax + 1, static_cast<std::byte>(value));
    EXPECT_EQ(first_chunk_size(run), kChunkSizeMax) << value;
  }
}

class ChunkerAfterAChange : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static std::size_t new_chunks(const Bytes& before, const Bytes& after) {
    const std::set<Digest> old = chunk_digests(before);
    const std::set<Digest> now = chunk_digests(after);
    return static_cast<std::size_t>(std::ranges::count_if(
        now, [&](const Digest& chunk) { return !old.contains(chunk); }));
  }

  const Bytes before = random_bytes(8 << 20, GetParam());
  SeededRandom random{GetParam() + 1'000};
  const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(random.below(before.size()));
};

TEST_P(ChunkerAfterAChange, AnInsertionShiftsNoFarBoundary) {
  Bytes after = before;
  const Bytes inserted = random_bytes(1 + random.below(1'000), GetParam() + 2'000);
  after.insert(after.begin() + place, inserted.begin(), inserted.end());
  EXPECT_GE(new_chunks(before, after), 1u);
  EXPECT_LE(new_chunks(before, after), 8u);
}

TEST_P(ChunkerAfterAChange, ADeletionShiftsNoFarBoundary) {
  Bytes after = before;
  const auto count = std::min<std::ptrdiff_t>(1'000, after.end() - after.begin() - place);
  after.erase(after.begin() + place, after.begin() + place + count);
  EXPECT_LE(new_chunks(before, after), 8u);
}

INSTANTIATE_TEST_SUITE_P(OfNoise, ChunkerAfterAChange,
                         ::testing::Range<std::uint64_t>(0, 20));

}  // namespace
}  // namespace mendel::storage
