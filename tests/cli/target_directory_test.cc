#include "cli/target_directory.h"

#include <gtest/gtest.h>

#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;

class Target : public ::testing::Test {
 protected:
  void place(const std::string& path, const std::string& content) {
    PartialFile file = target.create_file(/*executable=*/false);
    file.write(as_bytes(content));
    target.place_file(std::move(file), path);
  }

  std::size_t partial_count() const {
    return std::size_t(
        std::distance(fs::directory_iterator(inside / ".mendel/partial"), {}));
  }

  testing::TemporaryDirectory directory;
  const fs::path inside = directory / "inside";
  TargetDirectory target = TargetDirectory::open_or_create(inside);
};

TEST_F(Target, PlacesAFileWithItsDirectories) {
  place("a/b/c", "content");
  EXPECT_EQ(read_file(inside / "a/b/c"), "content");
  EXPECT_EQ(partial_count(), 0u);
}

TEST_F(Target, ShowsNothingOfAFileThatIsNotPlaced) {
  {
    PartialFile file = target.create_file(/*executable=*/false);
    file.write(as_bytes("half"));
  }
  EXPECT_EQ(partial_count(), 0u);
}

TEST_F(Target, FollowsNoLinkOnTheWay) {
  fs::create_directory(directory / "outside");
  fs::create_directory_symlink("../outside", inside / "a");
  EXPECT_THROW(place("a/b", "content"), Error);
  EXPECT_THROW(target.find("a/b"), Error);
  EXPECT_THROW(target.remove("a/b"), Error);
  EXPECT_TRUE(fs::is_empty(directory / "outside"));
}

TEST_F(Target, NeverLeavesTheDirectory) {
  EXPECT_THROW(place("../b", "content"), Error);
  EXPECT_THROW(place("a/../../b", "content"), Error);
  EXPECT_FALSE(fs::exists(directory / "b"));
}

TEST_F(Target, ReplacesALinkAndNotWhatItPointsAt) {
  write_file(directory / "outside", "mine");
  fs::create_symlink("../outside", inside / "a");
  place("a", "content");
  EXPECT_EQ(read_file(directory / "outside"), "mine");
  EXPECT_EQ(read_file(inside / "a"), "content");
  EXPECT_FALSE(fs::is_symlink(inside / "a"));
}

TEST_F(Target, RefusesToReplaceADirectory) {
  fs::create_directory(inside / "a");
  EXPECT_THROW(place("a", "content"), Error);
}

TEST_F(Target, RemovesAFileAndTheDirectoriesThatBecameEmpty) {
  place("a/b/c", "1");
  place("a/d", "2");
  target.remove("a/b/c");
  EXPECT_FALSE(fs::exists(inside / "a/b"));
  EXPECT_TRUE(fs::exists(inside / "a/d"));
}

TEST_F(Target, ClearsUpAfterAPullThatWasKilled) {
  write_file(inside / ".mendel/partial/7", "half");
  target = TargetDirectory::open(directory.path());  // lets go of the lock
  target = TargetDirectory::open_or_create(inside);
  EXPECT_EQ(partial_count(), 0u);
}

TEST_F(Target, LetsOnePullWorkAtATime) {
  EXPECT_THROW(TargetDirectory::open_or_create(inside), Error);
}

TEST_F(Target, SetsTheExecutableBitForWhoeverMayRead) {
  place("run", "content");
  fs::permissions(inside / "run", fs::perms(0640));
  target.set_executable("run", true);
  EXPECT_EQ(fs::status(inside / "run").permissions(), fs::perms(0750));
  target.set_executable("run", false);
  EXPECT_EQ(fs::status(inside / "run").permissions(), fs::perms(0640));
}

TEST_F(Target, LeavesTheModeOfTheOtherNamesOfAFile) {
  place("run", "content");
  fs::create_hard_link(inside / "run", directory / "other");
  const auto before = fs::status(directory / "other").permissions();
  target.set_executable("run", true);
  EXPECT_EQ(fs::status(directory / "other").permissions(), before);
  EXPECT_NE(fs::status(inside / "run").permissions() & fs::perms::owner_exec,
            fs::perms::none);
  EXPECT_EQ(read_file(inside / "run"), "content");
}

}  // namespace
}  // namespace mendel::cli
