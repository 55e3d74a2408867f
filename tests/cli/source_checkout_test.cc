#include "cli/source_checkout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "cli/git_source.h"
#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/git_work_tree.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;
using testing::GitWorkTree;
using ::testing::HasSubstr;

// Repositories as the real git makes them, and no configuration but theirs.
class SourceCheckout : public ::testing::Test {
 protected:
  SourceCheckout() {
    ::setenv("HOME", directory_.path().c_str(), 1);
    ::unsetenv("XDG_CONFIG_HOME");
  }

  GitWorkTree init(const std::string& name) {
    return GitWorkTree::init(directory_ / name, "");
  }

  static CapturedSource capture(const GitWorkTree& tree) {
    SourceOptions options;
    options.directory = tree.path();
    return *capture_source(options);
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(SourceCheckout, LaysOutTheCommitWithItsPatch) {
  const GitWorkTree tree = init("tree");
  tree.write("train.py", "print(1)\n");
  tree.write("old.py", "print(0)\n");
  tree.commit_all();
  tree.write("train.py", "print(2)\n");
  const auto captured = capture(tree);
  tree.write("train.py", "print(3)\n");
  tree.commit_all();

  const fs::path copy = directory_ / "copy";
  check_out(captured.source, tree.path(), captured.patch, copy);
  EXPECT_EQ(read_file(copy / "train.py"), "print(2)\n");
  EXPECT_EQ(read_file(copy / "old.py"), "print(0)\n");
}

TEST_F(SourceCheckout, FindsACommitOnAnyBranchOrTag) {
  const GitWorkTree tree = init("tree");
  tree.write("a", "1");
  tree.commit_all();
  tree.git("checkout -q -b side");
  tree.write("a", "2");
  const std::string side = tree.commit_all();
  tree.git("tag v1");
  tree.git("checkout -q -");
  tree.git("branch -q -D side");
  EXPECT_EQ(why_commit_is_lost(tree.path(), side), "");
}

TEST_F(SourceCheckout, SaysWhyACommitCannotBeHad) {
  const GitWorkTree tree = init("tree");
  tree.write("a", "1");
  tree.commit_all();
  const std::string nobodys(40, '1');
  EXPECT_THAT(why_commit_is_lost(tree.path(), nobodys), HasSubstr(nobodys));
  EXPECT_NE(why_commit_is_lost(directory_ / "nowhere", nobodys), "");
}

TEST_F(SourceCheckout, RunsNoProgramThatAUrlNames) {
  const std::string mark = directory_ / "mark";
  const std::string commit(40, '1');
  for (const std::string& url :
       {"ext::touch " + mark, "--upload-pack=touch " + mark, std::string("fd::17")}) {
    SCOPED_TRACE(url);
    EXPECT_NE(why_commit_is_lost(url, commit), "");
    EXPECT_FALSE(fs::exists(mark));
  }
}

TEST_F(SourceCheckout, RefusesAPatchThatLeavesTheTree) {
  const GitWorkTree tree = init("tree");
  tree.write("a", "1\n");
  const std::string commit = tree.commit_all();
  const std::string patch =
      "diff --git a/../outside b/../outside\nnew file mode 100644\n"
      "--- /dev/null\n+++ b/../outside\n@@ -0,0 +1 @@\n+x\n";
  EXPECT_THROW(check_out({{"commit", commit}}, tree.path(), patch, directory_ / "copy"),
               Error);
  EXPECT_FALSE(fs::exists(directory_ / "outside"));
}

TEST_F(SourceCheckout, BringsSubmodulesAtTheirCommits) {
  const GitWorkTree inner = init("inner");
  inner.write("b", "1");
  inner.commit_all();
  const GitWorkTree tree = init("tree");
  tree.write("a", "1");
  tree.git("-c protocol.file.allow=always submodule -q add '" + inner.path() + "' sub");
  tree.commit_all();
  const auto captured = capture(tree);
  inner.write("b", "2");
  inner.commit_all();

  check_out(captured.source, tree.path(), captured.patch, directory_ / "copy");
  EXPECT_EQ(read_file(fs::path(directory_ / "copy") / "sub/b"), "1");
}

TEST_F(SourceCheckout, FindsWhatARefPointsAt) {
  const GitWorkTree tree = init("tree");
  tree.git("checkout -q -b main");
  tree.write("a", "1");
  const std::string first = tree.commit_all();
  tree.git("tag -a -m v1 v1");
  tree.write("a", "2");
  const std::string second = tree.commit_all();
  const std::pair<std::string, std::string> refs[] = {
      {"main", second}, {"refs/heads/main", second}, {"HEAD", second},
      {"v1", first},    {"refs/tags/v1", first},     {first, first}};
  int number = 0;
  for (const auto& [ref, commit] : refs) {
    SCOPED_TRACE(ref);
    const fs::path copy = directory_ / ("copy" + std::to_string(++number));
    EXPECT_EQ(check_out_ref(tree.path(), ref, copy), commit);
    EXPECT_EQ(read_file(copy / "a"), commit == first ? "1" : "2");
  }
}

TEST_F(SourceCheckout, SaysThatARefIsNotThere) {
  const GitWorkTree tree = init("tree");
  tree.write("a", "1");
  tree.commit_all();
  try {
    check_out_ref(tree.path(), "nobodys", directory_ / "copy");
    ADD_FAILURE() << "it was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), HasSubstr("nobodys"));
  }
}

TEST_F(SourceCheckout, OfARefBringsSubmodulesAsTheyAreRecorded) {
  const GitWorkTree inner = init("inner");
  inner.write("b", "1");
  inner.commit_all();
  const GitWorkTree tree = init("tree");
  tree.write("a", "1");
  tree.git("-c protocol.file.allow=always submodule -q add '" + inner.path() + "' sub");
  const std::string commit = tree.commit_all();
  inner.write("b", "2");
  inner.commit_all();

  check_out_ref(tree.path(), commit, directory_ / "copy");
  EXPECT_EQ(read_file(fs::path(directory_ / "copy") / "sub/b"), "1");
}

}  // namespace
}  // namespace mendel::cli
