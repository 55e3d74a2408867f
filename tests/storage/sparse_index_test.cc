#include "storage/sparse_index.h"

#include <gtest/gtest.h>

#include <string>

namespace mendel::storage {
namespace {

Digest digest_ending_in(unsigned last, unsigned first) {
  std::array<std::byte, Digest::kSizeBytes> bytes{};
  bytes.front() = std::byte(first);
  bytes[7] = std::byte{2};
  bytes.back() = std::byte(last);
  return Digest(bytes);
}

TEST(SparseIndex, TakesADigestForAHookByItsLastByte) {
  for (unsigned last = 0; last < 256; ++last) {
    EXPECT_EQ(hook_of(digest_ending_in(last, 1)).has_value(), last % kHookSpacing == 0)
        << last;
  }
}

TEST(SparseIndex, TakesTheValueFromTheFirstEightBytes) {
  EXPECT_EQ(hook_of(digest_ending_in(0, 1)), (1ll << 56) + 2);
  EXPECT_EQ(hook_of(digest_ending_in(0, 0xFF)), -(1ll << 56) + 2);
}

TEST(SparseIndex, HasTheHooksOfAPacksChunksAndBlobsSortedAndOnce) {
  std::vector<RecordHeader> headers;
  const auto add = [&](RecordType type, const Digest& digest) {
    headers.push_back({type, Codec::raw, 0, 1, 1, digest});
  };
  add(RecordType::chunk, digest_ending_in(32, 9));
  add(RecordType::chunk, digest_ending_in(33, 8));
  add(RecordType::recipe, digest_ending_in(32, 7));
  add(RecordType::manifest, digest_ending_in(32, 6));
  add(RecordType::blob, digest_ending_in(64, 5));
  add(RecordType::chunk, digest_ending_in(64, 5));
  for (std::size_t i = 0; i < kFewChunks; ++i) {
    add(RecordType::chunk, digest_ending_in(1, static_cast<unsigned>(100 + i)));
  }
  const PackIndex pack(Digest::of("pack"), 1000, headers);
  EXPECT_EQ(hooks_of(pack), (std::vector{*hook_of(digest_ending_in(64, 5)),
                                         *hook_of(digest_ending_in(32, 9))}));
}

TEST(SparseIndex, HasEveryChunkOfAPackOfFew) {
  std::vector<RecordHeader> headers;
  std::vector<std::int64_t> all;
  for (std::size_t i = 0; i < kFewChunks; ++i) {
    const Digest digest = digest_ending_in(1, static_cast<unsigned>(i + 1));
    headers.push_back({RecordType::chunk, Codec::raw, 0, 1, 1, digest});
    all.push_back(hook_value(digest));
  }
  headers.push_back({RecordType::recipe, Codec::raw, 0, 1, 1, digest_ending_in(1, 0)});
  EXPECT_EQ(hooks_of(PackIndex(Digest::of("pack"), 1000, headers)), all);
}

TEST(SparseIndex, ChoosesOneDigestInThirtyTwo) {
  int hooks = 0;
  for (int i = 0; i < 32'000; ++i)
    hooks += hook_of(Digest::of(std::to_string(i))).has_value();
  EXPECT_NEAR(hooks, 1000, 150);
}

}  // namespace
}  // namespace mendel::storage
