#include "cli/pull_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

storage::ManifestFile file(const std::string& path, const std::string& content) {
  storage::ManifestFile file;
  file.path = path;
  file.digest = Digest::of(content);
  file.size_bytes = content.size();
  return file;
}

storage::ManifestFile link(const std::string& path, const std::string& target) {
  storage::ManifestFile file;
  file.path = path;
  file.link = target;
  return file;
}

class Plan : public ::testing::Test {
 protected:
  // What a pull of these files left behind.
  void was_pulled(const std::vector<storage::ManifestFile>& files) {
    PullState state;
    for (const auto& file : files) state.entries[file.path] = entry_of(file);
    known.push_back(std::move(state));
  }

  PullPlan plan(std::vector<storage::ManifestFile> files,
                Strangers strangers = Strangers::refuse) {
    const storage::Manifest manifest{{}, std::move(files), {}};
    return plan_pull(manifest, choose_files(manifest, {}), target, known,
                     {strangers, Leftovers::remove});
  }

  static std::vector<std::string> paths(const std::vector<ChosenFile>& files) {
    std::vector<std::string> paths;
    for (const auto& file : files) paths.push_back(file.path);
    return paths;
  }

  void there_is(const std::string& path, const std::string& content) {
    write_file(directory / path, content);
  }

  testing::TemporaryDirectory directory;
  TargetDirectory target = TargetDirectory::open_or_create(directory.path());
  std::vector<PullState> known;
};

TEST_F(Plan, FetchesWhatIsNotThere) {
  EXPECT_THAT(paths(plan({file("a", "1"), file("b/c", "2")}).fetch),
              ElementsAre("a", "b/c"));
}

TEST_F(Plan, KeepsWhatIsRightAlreadyWhoeverPutItThere) {
  there_is("a", "1");
  const PullPlan plan = this->plan({file("a", "1")});
  EXPECT_THAT(plan.fetch, IsEmpty());
  EXPECT_TRUE(plan.kept.contains("a"));
}

TEST_F(Plan, ReplacesWhatAnEarlierPullWrote) {
  there_is("a", "1");
  was_pulled({file("a", "1")});
  EXPECT_THAT(paths(plan({file("a", "2")}).fetch), ElementsAre("a"));
}

TEST_F(Plan, RefusesToReplaceAFileThatIsNotOurs) {
  there_is("a", "mine");
  EXPECT_THROW(plan({file("a", "1")}), Error);
  EXPECT_THAT(paths(plan({file("a", "1")}, Strangers::replace).fetch), ElementsAre("a"));
}

TEST_F(Plan, RefusesToReplaceAFileThatWasChangedSince) {
  there_is("a", "edited");
  was_pulled({file("a", "1")});
  EXPECT_THROW(plan({file("a", "2")}), Error);
}

TEST_F(Plan, RemovesWhatTheVersionNoLongerHas) {
  there_is("old", "1");
  was_pulled({file("old", "1")});
  EXPECT_THAT(plan({file("a", "1")}).remove_last, ElementsAre("old"));
}

TEST_F(Plan, KeepsAndNamesWhatTheVersionNoLongerHasAndSomebodyChanged) {
  there_is("old", "edited");
  was_pulled({file("old", "1")});
  const PullPlan plan = this->plan({file("a", "1")});
  EXPECT_THAT(plan.remove_last, IsEmpty());
  EXPECT_THAT(plan.left_changed, ElementsAre("old"));
}

TEST_F(Plan, NeverTouchesWhatNoPullWrote) {
  there_is("notes.txt", "mine");
  const PullPlan plan = this->plan({file("a", "1")});
  EXPECT_THAT(plan.remove_first, IsEmpty());
  EXPECT_THAT(plan.remove_last, IsEmpty());
}

TEST_F(Plan, MakesRoomForADirectoryWhereAFileWas) {
  there_is("a", "1");
  was_pulled({file("a", "1")});
  const PullPlan plan = this->plan({file("a/b", "2")});
  EXPECT_THAT(plan.remove_first, ElementsAre("a"));
  EXPECT_THAT(paths(plan.fetch), ElementsAre("a/b"));
}

TEST_F(Plan, MakesRoomForAFileWhereADirectoryWas) {
  there_is("a/b", "1");
  was_pulled({file("a/b", "1")});
  const PullPlan plan = this->plan({file("a", "2")});
  EXPECT_THAT(plan.remove_first, ElementsAre("a/b"));
  EXPECT_THAT(paths(plan.fetch), ElementsAre("a"));
}

TEST_F(Plan, KnowsALinkThatIsRight) {
  std::filesystem::create_symlink("a", directory / "l");
  EXPECT_TRUE(plan({link("l", "a")}).kept.contains("l"));
  EXPECT_THROW(plan({link("l", "b")}), Error);
}

TEST_F(Plan, CountsAPullThatWasInterrupted) {
  there_is("a", "2");
  was_pulled({file("a", "1")});
  was_pulled({file("a", "2")});
  EXPECT_THAT(paths(plan({file("a", "3")}).fetch), ElementsAre("a"));
}

TEST_F(Plan, RefusesAVersionThatWantsToWriteOurState) {
  EXPECT_THROW(plan({file(".mendel/pull.json", "{}")}), Error);
}

}  // namespace
}  // namespace mendel::cli
