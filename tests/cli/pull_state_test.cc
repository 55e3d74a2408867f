#include "cli/pull_state.h"

#include <gtest/gtest.h>

#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

PulledEntry pulled(std::int64_t ctime_ns) {
  PulledEntry entry;
  entry.digest = Digest::of("content");
  entry.stamp = {7, 1, ctime_ns, 42};
  return entry;
}

TEST(PullState, ComesBackAsItWasSaved) {
  const testing::TemporaryDirectory directory;
  PullState state{"https://m.example.org", "lhcb/x:17", "sha256:00", 0, {}};
  state.entries["bin/run"] = pulled(123'456'789);
  state.entries["bin/run"].executable = true;
  state.entries["latest"].link = "bin/run";
  state.entries["empty"] = {};
  save_pull_state(directory / "pull.json", state);

  const auto found = find_pull_state(directory / "pull.json");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reference, "lhcb/x:17");
  ASSERT_EQ(found->entries.size(), 3u);
  EXPECT_EQ(found->entries.at("bin/run").digest, Digest::of("content"));
  EXPECT_EQ(found->entries.at("bin/run").stamp, state.entries["bin/run"].stamp);
  EXPECT_TRUE(found->entries.at("bin/run").executable);
  EXPECT_EQ(found->entries.at("latest").link, "bin/run");
  EXPECT_TRUE(found->entries.at("empty").is_directory());
}

TEST(PullState, IsAbsentWhereNothingWasPulled) {
  const testing::TemporaryDirectory directory;
  EXPECT_FALSE(find_pull_state(directory / "pull.json"));
}

TEST(PullState, RefusesWhatItDidNotWrite) {
  const testing::TemporaryDirectory directory;
  for (const char* text : {"", "{", "[]", "{\"format\":2}", "{\"format\":1}"}) {
    write_file(directory / "pull.json", text);
    EXPECT_THROW(find_pull_state(directory / "pull.json"), Error) << text;
  }
}

TEST(PullState, TrustsAStampThatIsOlderThanTheState) {
  PullState state;
  state.written_ns = 10'000'000'001;
  const PulledEntry entry = pulled(9'000'000'001);
  EXPECT_TRUE(state.proves_unchanged(entry, entry.stamp));
  FileStamp other = entry.stamp;
  other.mtime_ns += 1;
  EXPECT_FALSE(state.proves_unchanged(entry, other));
}

TEST(PullState, DoesNotTrustAStampThatMayHideALaterChange) {
  PullState state;
  state.written_ns = 10'000'000'001;
  const PulledEntry just_before = pulled(9'999'999'001);
  EXPECT_FALSE(state.proves_unchanged(just_before, just_before.stamp));
  const PulledEntry whole_second = pulled(5'000'000'000);
  EXPECT_FALSE(state.proves_unchanged(whole_second, whole_second.stamp));
}

}  // namespace
}  // namespace mendel::cli
