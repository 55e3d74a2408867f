#include "cli/local_chunks.h"

#include <gtest/gtest.h>

#include "storage/chunker.h"
#include "tests/cli/test_files.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

TEST(LocalChunks, FindsEveryChunkWhereTheChunkerCuts) {
  const testing::TemporaryDirectory directory;
  const auto bytes = testing::random_bytes(9'700'001, 7);
  write_file(directory / "file", std::string(as_text(bytes)));
  const LocalChunks chunks(open_for_reading(directory / "file"), "file");

  auto rest = std::span<const std::byte>(bytes);
  for (std::uint64_t offset = 0; !rest.empty();) {
    const auto chunk = rest.first(storage::first_chunk_size(rest));
    const auto found = chunks.find(Digest::of(chunk));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->offset, offset);
    ASSERT_EQ(found->size_bytes, chunk.size());
    offset += chunk.size();
    rest = rest.subspan(chunk.size());
  }
  EXPECT_EQ(chunks.find(Digest::of("elsewhere")), std::nullopt);
}

TEST(LocalChunks, HasNoneInAnEmptyFile) {
  const testing::TemporaryDirectory directory;
  write_file(directory / "file", "");
  const LocalChunks chunks(open_for_reading(directory / "file"), "file");
  EXPECT_EQ(chunks.find(Digest::of("")), std::nullopt);
}

}  // namespace
}  // namespace mendel::cli
