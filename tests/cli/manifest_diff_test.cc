#include "cli/manifest_diff.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

storage::ManifestFile file(const std::string& path, const std::string& content) {
  storage::ManifestFile file;
  file.path = path;
  file.digest = Digest::of(content);
  file.size_bytes = content.size();
  return file;
}

TEST(ManifestDiff, TellsWhatWasAddedRemovedAndChanged) {
  const storage::Manifest before{{}, {file("a", "1"), file("b", "1"), file("d", "1")}, {}};
  const storage::Manifest after{{}, {file("b", "2"), file("c", "1"), file("d", "1")}, {}};
  const auto changes = find_changes(before, after);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].before->path, "a");
  EXPECT_EQ(changes[0].after, nullptr);
  EXPECT_EQ(changes[1].before->path, "b");
  EXPECT_EQ(changes[1].after->path, "b");
  EXPECT_EQ(changes[2].before, nullptr);
  EXPECT_EQ(changes[2].after->path, "c");
}

TEST(ManifestDiff, IsEmptyForTheSameManifest) {
  const storage::Manifest manifest{{}, {file("a", "1")}, {}};
  EXPECT_TRUE(find_changes(manifest, manifest).empty());
}

}  // namespace
}  // namespace mendel::cli
