#include "cli/git_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/git_patch.h"
#include "cli/git_repository.h"
#include "storage/base/digest.h"
#include "tests/testing/git_work_tree.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::GitWorkTree;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_in;

// Repositories as the real git makes them, and no configuration but theirs.
class GitSource : public ::testing::Test {
 protected:
  GitSource() {
    ::setenv("HOME", "/nonexistent", 1);
    ::unsetenv("XDG_CONFIG_HOME");
    for (const char* name :
         {"GITLAB_CI", "CI_PIPELINE_URL", "CI_JOB_URL", "GITHUB_ACTIONS", "GITHUB_RUN_ID",
          "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ATTEMPT"}) {
      ::unsetenv(name);
    }
  }

  GitWorkTree init(const std::string& name = "tree", const std::string& options = "") {
    return GitWorkTree::init(directory_ / name, options);
  }

  static CapturedSource capture(const GitWorkTree& tree, SourceOptions options = {}) {
    options.directory = tree.path();
    return *capture_source(options);
  }

  static Error refusal(const GitWorkTree& tree, SourceOptions options = {}) {
    try {
      ADD_FAILURE() << capture(tree, std::move(options)).source.dump();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::internal, "");
  }

  // Expects that the commit with the patch on it has the same files as the tree.
  void expect_that_the_patch_makes(const GitWorkTree& tree,
                                   const CapturedSource& captured) {
    const GitWorkTree copy(directory_ / "copy");
    tree.git("worktree add -q --detach '" + copy.path() + "' HEAD");
    std::ofstream(directory_ / "patch", std::ios::binary) << captured.patch;
    copy.git("apply '" + (directory_ / "patch") + "'");
    run_in(directory_.path(),
           "diff -r --no-dereference --exclude=.git --exclude=ignored '" + tree.path() +
               "' '" + copy.path() + "'");
    const auto modes = [](const GitWorkTree& of) {
      return run_in(of.path(),
                    "find . -name .git -prune -o -type f -perm -u+x -print | sort");
    };
    EXPECT_EQ(modes(tree), modes(copy));
  }

  // Binary, and other bytes each time.
  std::string noise() {
    const auto bytes = testing::random_bytes(5000, ++noise_count_);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  testing::TemporaryDirectory directory_;
  std::uint64_t noise_count_ = 0;
};

TEST_F(GitSource, SaysWhichCommitACleanTreeIsAt) {
  const GitWorkTree tree = init();
  tree.write("train.py", "print()\n");
  const std::string commit = tree.commit_all();
  tree.git("remote add origin https://git.example.org/lhcb/train.git");
  EXPECT_EQ(capture(tree).source,
            Json({{"repository", "https://git.example.org/lhcb/train.git"},
                  {"commit", commit},
                  {"branch", "main"},
                  {"author", "Ada Lovelace <ada@example.org>"},
                  {"authored_at", "2017-07-14T02:40:00Z"},
                  {"dirty", false}}));
  EXPECT_EQ(capture(tree).patch, "");
  EXPECT_TRUE(capture(tree).notes.empty());
  EXPECT_EQ(capture(tree, {.require_clean = true}).source["commit"], commit);
}

TEST_F(GitSource, IsThatOfTheDirectoryOneStandsIn) {
  const GitWorkTree tree = init();
  tree.write("deep/below/file", "1");
  const std::string commit = tree.commit_all();
  EXPECT_EQ(capture(GitWorkTree(tree.path() + "/deep/below")).source["commit"], commit);

  const std::string before = fs::current_path();
  fs::current_path(tree.path() + "/deep");
  const auto found = capture_source({});
  const auto unwanted = capture_source({.no_git = true});
  fs::current_path(directory_.path());
  const auto none = capture_source({});
  fs::current_path(before);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->source["commit"], commit);
  EXPECT_FALSE(unwanted);
  EXPECT_FALSE(none);
}

TEST_F(GitSource, IsAskedForWhereThereIsNone) {
  fs::create_directory(directory_ / "plain");
  const Error error = refusal(GitWorkTree(directory_ / "plain"));
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("plain"));
}

TEST_F(GitSource, NamesTheRemoteThatItComesFrom) {
  const GitWorkTree tree = init();
  tree.commit_all();
  EXPECT_FALSE(capture(tree).source.contains("repository"));
  EXPECT_THAT(capture(tree).notes, ElementsAre(HasSubstr("no remote")));

  tree.git("remote add fork https://example.org/fork.git");
  EXPECT_EQ(capture(tree).source["repository"], "https://example.org/fork.git");
  tree.git("remote add other https://example.org/other.git");
  EXPECT_FALSE(capture(tree).source.contains("repository"));
  tree.git("config branch.main.remote other");
  tree.git("config branch.main.merge refs/heads/main");
  EXPECT_EQ(capture(tree).source["repository"], "https://example.org/other.git");
  tree.git("remote add origin git@example.org:lhcb/origin.git");
  EXPECT_EQ(capture(tree).source["repository"], "git@example.org:lhcb/origin.git");
}

TEST(GitRemoteUrl, LosesItsCredentials) {
  const std::vector<std::pair<std::string, std::string>> urls = {
      {"https://me:secret@example.org/a.git", "https://example.org/a.git"},
      {"https://glpat-x@example.org:8443/a.git", "https://example.org:8443/a.git"},
      {"https://a:b@c@example.org/a", "https://example.org/a"},
      {"https://example.org/a.git?private_token=x#y", "https://example.org/a.git"},
      {"http://me@example.org", "http://example.org"},
      {"ssh://git:secret@example.org:22/a.git", "ssh://git@example.org:22/a.git"},
      {"ssh://git@example.org:22/a.git", "ssh://git@example.org:22/a.git"},
      {"git@example.org:a/b.git", "git@example.org:a/b.git"},
      {"../a.git", "../a.git"},
      {"file:///srv/a.git", "file:///srv/a.git"},
  };
  for (const auto& [url, expected] : urls) EXPECT_EQ(without_credentials(url), expected);
}

TEST_F(GitSource, ListsTheTagsThatPointAtTheCommit) {
  const GitWorkTree tree = init();
  tree.commit_all();
  tree.git("tag old");
  tree.commit_all("the next");
  tree.git("tag v2");
  tree.git("tag -a -m annotated v2-annotated");
  tree.git("tag blob $(git hash-object -w --stdin </dev/null)");
  EXPECT_EQ(capture(tree).source["tags"], Json({"v2", "v2-annotated"}));
}

TEST_F(GitSource, OfADirtyTreeHasAPatchThatGitApplies) {
  const GitWorkTree tree = init();
  for (const char* name : {"changed", "gone", "moved", "binary", "binary-gone", "no-end",
                           "sp ace", "um\xC3\xA4ut", "qu\"ote", "tab\there", "script"}) {
    tree.write(name, "one\ntwo\nthree\n");
  }
  tree.write("binary", noise());
  tree.write("binary-gone", noise());
  tree.write("crlf", "a\r\nb\r\n");
  tree.write("was-file", "1\n");
  fs::create_symlink("changed", tree.path() + "/link");
  tree.commit_all();

  tree.write("changed", "one\n2\nthree\nfour\n");
  fs::remove(tree.path() + "/gone");
  fs::rename(tree.path() + "/moved", tree.path() + "/moved-here");
  tree.write("binary", noise());
  fs::remove(tree.path() + "/binary-gone");
  tree.write("no-end", "one\ntwo\nthree");
  for (const char* name : {"sp ace", "um\xC3\xA4ut", "qu\"ote", "tab\there"}) {
    tree.write(name, "other\n");
  }
  tree.write("crlf", "a\r\nc\r\n");
  fs::permissions(tree.path() + "/script", fs::perms::owner_exec, fs::perm_options::add);
  fs::remove(tree.path() + "/link");
  fs::create_symlink("crlf", tree.path() + "/link");
  fs::remove(tree.path() + "/was-file");
  fs::create_symlink("crlf", tree.path() + "/was-file");
  tree.write("new/staged", "staged\n");
  tree.write("new/staged-binary", noise());
  tree.write("new/empty", "");
  tree.git("add new moved-here");
  tree.write("new/staged", "and changed after that\n");

  const CapturedSource captured = capture(tree);
  EXPECT_EQ(captured.source["dirty"], true);
  EXPECT_EQ(captured.source["patch"], Digest::of(captured.patch).to_string());
  EXPECT_EQ(captured.source["patch_size"], captured.patch.size());
  EXPECT_FALSE(captured.source.contains("untracked"));
  expect_that_the_patch_makes(tree, captured);
}

TEST_F(GitSource, HasTheSamePatchWhateverTheConfiguration) {
  const GitWorkTree tree = init();
  tree.write("a", "1\n");
  tree.commit_all();
  tree.write("a", "2\n");
  const std::string patch = capture(tree).patch;
  for (const char* setting :
       {"diff.noprefix true", "diff.mnemonicPrefix true", "diff.context 0",
        "diff.external false", "core.quotePath false", "diff.renames copies"}) {
    tree.git("config " + std::string(setting));
  }
  EXPECT_EQ(capture(tree).patch, patch);
  EXPECT_THAT(patch, HasSubstr("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n"));
}

TEST_F(GitSource, IsCleanWhereFilesWereOnlyTouched) {
  const GitWorkTree tree = init();
  tree.write("a", "1\n");
  tree.commit_all();
  tree.write("a", "1\n");
  run_in(tree.path(), "touch -d '2001-01-01' a");
  const std::string index = tree.read(".git/index");
  EXPECT_EQ(capture(tree).source["dirty"], false);
  EXPECT_EQ(tree.read(".git/index"), index);
}

TEST_F(GitSource, ListsUntrackedFilesAndTakesNone) {
  const GitWorkTree tree = init();
  tree.write(".gitignore", "ignored\n*.o\n");
  tree.commit_all();
  tree.write("ignored", "secret");
  tree.write("a.o", "object");
  tree.write("notes/a", "12345");
  tree.write("b", "");
  tree.write("other/file", "1");
  GitWorkTree::init(tree.path() + "/other").commit_all();
  const CapturedSource captured = capture(tree);
  EXPECT_EQ(captured.source["untracked"],
            Json::parse(R"([{"path":"b","size":0},{"path":"notes/a","size":5},
                            {"path":"other/","size":0}])"));
  EXPECT_EQ(captured.source["dirty"], false);
  EXPECT_EQ(captured.patch, "");
}

TEST_F(GitSource, BoundsTheListOfUntrackedFiles) {
  const GitWorkTree tree = init();
  tree.commit_all();
  for (std::size_t i = 0; i < kUntrackedListedMax + 7; ++i) {
    tree.write("out/" + std::to_string(i), "1");
  }
  const CapturedSource captured = capture(tree);
  EXPECT_EQ(captured.source["untracked"].size(), kUntrackedListedMax);
  EXPECT_EQ(captured.source["untracked_omitted"], 7);
}

TEST_F(GitSource, TakesUntrackedFilesAlongWhenTold) {
  const GitWorkTree tree = init();
  tree.write(".gitignore", "ignored\n");
  tree.write("a", "1\n");
  tree.commit_all();
  tree.write("ignored", "left out");
  tree.write("new/text", "a\nb");
  tree.write("new/empty", "");
  tree.write("new/binary", noise());
  tree.write("new/run", "#!/bin/sh\n");
  fs::permissions(tree.path() + "/new/run", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("text", tree.path() + "/new/link");
  const CapturedSource captured = capture(tree, {.include_untracked = true});
  EXPECT_FALSE(captured.source.contains("untracked"));
  EXPECT_EQ(captured.source["dirty"], true);
  EXPECT_THAT(captured.patch, Not(HasSubstr("left out")));
  expect_that_the_patch_makes(tree, captured);
}

TEST_F(GitSource, PassesOverWhatIsNoFile) {
  const GitWorkTree tree = init();
  tree.commit_all();
  run_in(tree.path(), "mkfifo pipe && mkdir empty");
  EXPECT_EQ(capture(tree).source["dirty"], false);
  EXPECT_EQ(capture(tree, {.include_untracked = true}).patch, "");
}

TEST_F(GitSource, RefusesToTakeCredentialsAlong) {
  const GitWorkTree tree = init();
  tree.write("config.py", "a = 1\nb = 2\n");
  tree.commit_all();
  tree.write("proxy",
             "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"
             "-----BEGIN RSA "
             "PRIVATE KEY-----\nAA\n");
  tree.write("blob", std::string("\0\n\1", 3) + "ghp_" + std::string(36, 'a') + "\n");
  EXPECT_EQ(capture(tree).patch, "");
  const Error untracked = refusal(tree, {.include_untracked = true});
  EXPECT_EQ(untracked.code(), ErrorCode::invalid_argument);
  EXPECT_THAT(untracked.what(), HasSubstr("proxy:4: what looks like a private key"));
  EXPECT_THAT(untracked.what(), HasSubstr("blob:2: what looks like a GitHub token"));

  tree.write("config.py", "a = 1\nkey = 'AKIA" + std::string(16, 'A') + "'\nb = 2\n");
  const Error tracked = refusal(tree);
  EXPECT_THAT(tracked.what(), HasSubstr("config.py:2: what looks like an AWS access key"));
  EXPECT_THAT(tracked.what(), Not(HasSubstr("AAAA")));
  EXPECT_THAT(tracked.what(), HasSubstr("--no-git"));
}

TEST_F(GitSource, RefusesAPatchOverTheLimitAndSaysItsSize) {
  const GitWorkTree tree = init();
  tree.commit_all();
  std::string text;
  for (int i = 0; text.size() <= kPatchSizeMax; ++i) text += std::to_string(i) + "\n";
  tree.write("large", text);
  EXPECT_EQ(capture(tree).source["untracked"][0]["size"], text.size());
  const Error error = refusal(tree, {.include_untracked = true});
  EXPECT_EQ(error.code(), ErrorCode::too_large);
  EXPECT_THAT(error.what(), HasSubstr("MiB"));
  EXPECT_THAT(error.what(), HasSubstr("--no-git"));
  run_in(tree.path(), "truncate -s 300M large");
  EXPECT_THAT(refusal(tree, {.include_untracked = true}).what(), HasSubstr("300.0 MiB"));
}

TEST_F(GitSource, RefusesADirtyTreeWhereACleanOneIsRequired) {
  const GitWorkTree tree = init();
  tree.write("a", "1\n");
  tree.commit_all();
  tree.write("untracked", "1");
  EXPECT_EQ(capture(tree, {.require_clean = true}).source["dirty"], false);
  tree.write("a", "2\n");
  const Error error = refusal(tree, {.require_clean = true});
  EXPECT_EQ(error.code(), ErrorCode::failed_precondition);
  EXPECT_THAT(error.what(), HasSubstr("\n  a"));
}

TEST_F(GitSource, RefusesATreeWithConflicts) {
  const GitWorkTree tree = init();
  tree.write("a", "1\n");
  tree.commit_all();
  tree.git("checkout -q -b side");
  tree.write("a", "2\n");
  tree.commit_all();
  tree.git("checkout -q main");
  tree.write("a", "3\n");
  tree.commit_all();
  run_in(tree.path(), "git -c user.name=A -c user.email=a@b merge -q side || true");
  EXPECT_THAT(refusal(tree).what(), HasSubstr("a has conflicts"));
}

TEST_F(GitSource, OfADetachedHeadHasNoBranch) {
  const GitWorkTree tree = init();
  const std::string commit = tree.commit_all();
  tree.git("checkout -q --detach");
  EXPECT_FALSE(capture(tree).source.contains("branch"));
  EXPECT_EQ(capture(tree).source["commit"], commit);
}

TEST_F(GitSource, OfAWorktreeIsItsOwn) {
  const GitWorkTree tree = init();
  tree.write("a", "1\n");
  tree.commit_all();
  const GitWorkTree other(directory_ / "other");
  tree.git("worktree add -q -b side '" + other.path() + "'");
  other.write("b", "2\n");
  const std::string commit = other.commit_all();
  other.write("a", "changed\n");
  EXPECT_EQ(capture(other).source["commit"], commit);
  EXPECT_EQ(capture(other).source["branch"], "side");
  EXPECT_EQ(capture(other).source["dirty"], true);
  EXPECT_EQ(capture(tree).source["dirty"], false);
}

TEST_F(GitSource, OfAShallowCloneSaysSo) {
  const GitWorkTree tree = init();
  tree.commit_all();
  tree.commit_all("the next");
  const GitWorkTree clone(directory_ / "clone");
  tree.git("clone -q --depth 1 'file://" + tree.path() + "' '" + clone.path() + "'");
  EXPECT_EQ(capture(clone).source["shallow"], true);
  EXPECT_FALSE(capture(tree).source.contains("shallow"));
}

TEST_F(GitSource, RecordsTheCommitsOfSubmodules) {
  const GitWorkTree library = init("library");
  library.write("lib.py", "1\n");
  const std::string commit = library.commit_all();
  const GitWorkTree tree = init();
  tree.git("submodule add -q '" + library.path() + "' lib");
  tree.commit_all();
  EXPECT_EQ(capture(tree).source["submodules"],
            Json::parse(R"([{"path":"lib","commit":")" + commit + "\"}]"));
  EXPECT_EQ(capture(tree).source["dirty"], false);

  const GitWorkTree inside(tree.path() + "/lib");
  inside.write("lib.py", "2\n");
  EXPECT_EQ(capture(tree).source["dirty"], true);
  EXPECT_THAT(capture(tree).notes, ::testing::Contains(HasSubstr("submodule lib")));
  const std::string next = inside.commit_all();
  EXPECT_EQ(capture(tree).source["dirty"], true);
  EXPECT_EQ(capture(tree).source["submodules"][0]["commit"], next);
  EXPECT_EQ(refusal(tree, {.require_clean = true}).code(), ErrorCode::failed_precondition);
  EXPECT_EQ(capture(tree).patch, "");
}

TEST_F(GitSource, WithoutACommitIsNoneOrRefused) {
  const GitWorkTree tree = init();
  tree.write("a", "1\n");
  EXPECT_EQ(refusal(tree).code(), ErrorCode::failed_precondition);
  EXPECT_THAT(refusal(tree).what(), HasSubstr("no commit yet"));

  const std::string before = fs::current_path();
  fs::current_path(tree.path());
  const auto captured = capture_source({});
  fs::current_path(before);
  ASSERT_TRUE(captured);
  EXPECT_TRUE(captured->source.is_null());
  EXPECT_THAT(captured->notes, ElementsAre(HasSubstr("no commit yet")));
}

TEST_F(GitSource, OfABareRepositoryIsItsHead) {
  const GitWorkTree tree = init();
  const std::string commit = tree.commit_all();
  const GitWorkTree bare(directory_ / "bare.git");
  tree.git("clone -q --bare . '" + bare.path() + "'");
  EXPECT_EQ(capture(bare).source["commit"], commit);
  EXPECT_EQ(capture(bare).source["dirty"], false);
}

TEST_F(GitSource, RefusesWhatLibgit2CannotRead) {
  const GitWorkTree tree = init("tree", "--object-format=sha256");
  tree.commit_all();
  EXPECT_EQ(refusal(tree).code(), ErrorCode::invalid_argument);
  EXPECT_THAT(refusal(tree).what(), HasSubstr("SHA-256"));
  EXPECT_THAT(refusal(tree).what(), HasSubstr("--no-git"));
}

TEST_F(GitSource, DoesNotTrustWhatBelongsToSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const GitWorkTree tree = init();
  tree.commit_all();
  run_in(tree.path(), "chown -R 65534 .");
  EXPECT_EQ(refusal(tree).code(), ErrorCode::permission_denied);
  EXPECT_THAT(refusal(tree).what(), HasSubstr("safe.directory"));
}

TEST_F(GitSource, RunsNoProgram) {
  const GitWorkTree tree = init();
  const std::string trap = directory_ / "trap";
  std::ofstream(trap) << "#!/bin/sh\ntouch '" << directory_ / "ran"
                      << "'\ncat\n";
  fs::permissions(trap, fs::perms::owner_all);
  tree.write(".gitattributes", "*.txt filter=trap diff=trap\n");
  tree.write("a.txt", "1\n");
  tree.write("b.py", "1\n");
  tree.commit_all();
  for (const char* key : {"filter.trap.clean", "filter.trap.smudge", "filter.trap.process",
                          "diff.trap.textconv", "diff.trap.command", "diff.external",
                          "core.fsmonitor", "core.pager", "core.sshCommand"}) {
    tree.git("config " + std::string(key) + " '" + trap + "'");
  }
  tree.write("b.py", "2\n");
  EXPECT_EQ(capture(tree).source["dirty"], true);
  tree.write("a.txt", "2\n");
  EXPECT_THAT(refusal(tree).what(), HasSubstr("a.txt has changed"));
  EXPECT_THAT(refusal(tree).what(), HasSubstr("filter 'trap'"));
  EXPECT_FALSE(fs::exists(directory_ / "ran"));
}

TEST_F(GitSource, KnowsAFileOfLfsByItsPointer) {
  const GitWorkTree tree = init();
  tree.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
  tree.write("w.bin", "version https://git-lfs.github.com/spec/v1\noid " +
                          Digest::of("weights").to_string() + "\nsize 7\n");
  tree.commit_all();
  tree.write("w.bin", "weights");
  EXPECT_EQ(capture(tree).source["dirty"], false);
  tree.write("w.bin", "others!");
  EXPECT_THAT(refusal(tree).what(), HasSubstr("filter 'lfs'"));
}

TEST_F(GitSource, OfASparseCheckoutMissesNothing) {
  const GitWorkTree tree = init();
  tree.write("kept/a", "1\n");
  tree.write("left/b", "1\n");
  tree.commit_all();
  tree.git("sparse-checkout set kept");
  ASSERT_FALSE(fs::exists(tree.path() + "/left"));
  EXPECT_EQ(capture(tree).source["dirty"], false);
}

TEST_F(GitSource, NamesTheJobOfCi) {
  const GitWorkTree tree = init();
  tree.commit_all();
  ::setenv("GITLAB_CI", "true", 1);
  ::setenv("CI_PIPELINE_URL", "https://gitlab.example.org/p/1", 1);
  ::setenv("CI_JOB_URL", "https://gitlab.example.org/j/2", 1);
  EXPECT_EQ(capture(tree).source["ci"],
            Json({{"pipeline_url", "https://gitlab.example.org/p/1"},
                  {"job_url", "https://gitlab.example.org/j/2"}}));
  ::unsetenv("GITLAB_CI");
  ::setenv("GITHUB_ACTIONS", "true", 1);
  ::setenv("GITHUB_SERVER_URL", "https://github.example.org", 1);
  ::setenv("GITHUB_REPOSITORY", "lhcb/train", 1);
  ::setenv("GITHUB_RUN_ID", "17", 1);
  ::setenv("GITHUB_RUN_ATTEMPT", "2", 1);
  const std::string run = "https://github.example.org/lhcb/train/actions/runs/17";
  EXPECT_EQ(capture(tree).source["ci"],
            Json({{"pipeline_url", run}, {"job_url", run + "/attempts/2"}}));
}

}  // namespace
}  // namespace mendel::cli
