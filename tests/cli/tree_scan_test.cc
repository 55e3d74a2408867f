#include "cli/tree_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class Scan : public ::testing::Test {
 protected:
  std::vector<std::string> scanned_paths() {
    std::vector<std::string> paths;
    for (const ScannedFile& file : scan()) paths.push_back(file.entry.path);
    return paths;
  }

  std::vector<ScannedFile> scan() {
    return scan_paths(std::vector{PushPath{directory.path(), ""}});
  }

  std::string refusal() {
    try {
      scan();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  testing::TemporaryDirectory directory;
};

TEST_F(Scan, ListsTheFilesOfADirectoryRelativeToIt) {
  write_file(directory / "b/c", "1");
  write_file(directory / "a", "22");
  const auto files = scan();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].entry.path, "a");
  EXPECT_EQ(files[0].entry.size_bytes, 2u);
  EXPECT_EQ(files[1].entry.path, "b/c");
}

TEST_F(Scan, TakesAFileUnderItsBaseNameForItsPlatform) {
  write_file(directory / "build/lib.so", "1");
  const auto files = scan_paths(std::vector{PushPath{directory / "build/lib.so", "p"}});
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].entry.path, "lib.so");
  EXPECT_EQ(files[0].entry.platform, "p");
}

TEST_F(Scan, RecordsLinksEmptyDirectoriesAndExecutableBits) {
  write_file(directory / "bin/run", "1");
  fs::permissions(directory / "bin/run", fs::perms(0755));
  fs::create_symlink("bin/run", directory / "latest");
  fs::create_directory(directory / "empty");
  const auto files = scan();
  ASSERT_EQ(files.size(), 3u);
  EXPECT_TRUE(files[0].entry.executable);
  EXPECT_TRUE(files[1].entry.directory);
  EXPECT_EQ(files[2].entry.link, "bin/run");
}

TEST_F(Scan, PassesOverTheStateOfPulls) {
  write_file(directory / "a", "1");
  write_file(directory / ".mendel/pull.json", "{}");
  EXPECT_THAT(scanned_paths(), ElementsAre("a"));
}

TEST_F(Scan, RefusesLinksThatLeadOutsideByName) {
  fs::create_symlink("/etc/passwd", directory / "absolute");
  fs::create_symlink("../x", directory / "upwards");
  EXPECT_THAT(refusal(), HasSubstr("absolute: is a link to /etc/passwd"));
  EXPECT_THAT(refusal(), HasSubstr("upwards: is a link to ../x"));
}

TEST_F(Scan, RefusesPipesByName) {
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("pipe: is neither"));
}

TEST_F(Scan, RefusesNamesThatAreNotUtf8) {
  write_file(directory / "caf\xe9", "1");
  EXPECT_NE(refusal(), "");
}

TEST_F(Scan, RefusesTwoFilesForOnePath) {
  write_file(directory / "x/a", "1");
  write_file(directory / "y/a", "2");
  const std::vector<PushPath> paths{{directory / "x", ""}, {directory / "y", ""}};
  EXPECT_THROW(scan_paths(paths), Error);
}

TEST_F(Scan, SaysWhatIsNotThere) {
  EXPECT_THROW(scan_paths(std::vector{PushPath{directory / "missing", ""}}), Error);
}

}  // namespace
}  // namespace mendel::cli
