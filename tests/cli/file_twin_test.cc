#include "cli/file_twin.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/local_file.h"
#include "storage/base/digest.h"
#include "tests/cli/ordinary_user.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;

class FileTwin : public ::testing::Test {
 protected:
  FileTwin() { write_file(original, "content"); }

  testing::TemporaryDirectory directory;
  const OrdinaryUser user{directory.path()};
  const fs::path original = directory / "original";
  const fs::path twin = directory / "twin";
};

TEST_F(FileTwin, CopiesTheBytesAndSetsTheMode) {
  copy_file(open_for_reading(original), twin, 0700).path();
  EXPECT_FALSE(fs::exists(twin)) << "was not moved to its place";

  PartialFile copy = copy_file(open_for_reading(original), twin, 0700);
  std::move(copy).release();
  EXPECT_EQ(read_file(twin), "content");
  EXPECT_EQ(fs::status(twin).permissions(), fs::perms(0700));
}

TEST_F(FileTwin, LinksAFileThatNobodyMayWriteTo) {
  fs::permissions(original, fs::perms(0444));
  const auto link = link_file(original, twin);
  ASSERT_TRUE(link);
  EXPECT_TRUE(fs::equivalent(original, twin));
}

TEST_F(FileTwin, LinksNoFileThatSomebodyMayWriteTo) {
  fs::permissions(original, fs::perms(0464));
  EXPECT_FALSE(link_file(original, twin));
  EXPECT_FALSE(fs::exists(twin));
}

TEST_F(FileTwin, LinksNoSymbolicLink) {
  const fs::path symlink = directory / "symlink";
  fs::create_symlink("original", symlink);
  EXPECT_FALSE(link_file(symlink, twin));
  EXPECT_FALSE(fs::is_symlink(twin));
}

TEST_F(FileTwin, ClonesWhereTheFileSystemCan) {
  if (auto clone = clone_file(open_for_reading(original), twin, 0600)) {
    clone->write(as_bytes("changed"));
    EXPECT_EQ(read_file(twin), "changed");
  } else {
    EXPECT_FALSE(fs::exists(twin));
  }
  EXPECT_EQ(read_file(original), "content");
}

TEST(FileTwinOfRoot, IsNoLink) {
  if (::geteuid() != 0) GTEST_SKIP() << "for root";
  const testing::TemporaryDirectory directory;
  write_file(directory / "original", "content");
  fs::permissions(directory / "original", fs::perms(0444));
  EXPECT_FALSE(link_file(directory / "original", directory / "twin"));
}

}  // namespace
}  // namespace mendel::cli
