#include "cli/agent/attempt_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/agent/work_directory.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Json lease(int attempt = 1) {
  return {{"id", "01900000-0000-7000-8000-000000000001"},
          {"attempt", attempt},
          {"token", "mdl_secret"},
          {"pipeline", "lhcb/retrain"},
          {"command", {"make", "all"}},
          {"produces",
           {{"artifact", "lhcb/trk"},
            {"files", {"out/*.so"}},
            {"platforms", {{"x86_64", {"x/*"}}}},
            {"metrics", "m.json"},
            {"aliases", {"staging"}}}}};
}

class AttemptStateTest : public ::testing::Test {
 protected:
  AttemptFiles files() const {
    fs::create_directories(directory_.path());
    return AttemptFiles(directory_.path());
  }
  testing::TemporaryDirectory directory_;
};

TEST_F(AttemptStateTest, IsReadAsItWasWritten) {
  AttemptState state(lease(3));
  EXPECT_TRUE(is_uuid(state.run));
  EXPECT_FALSE(AttemptState::find(files()));
  state.phase = Phase::publishing;
  state.handle = "4711";
  state.end = {{"exit_status", 0}};
  state.save(files());
  const auto again = AttemptState::find(files());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->key(), "01900000-0000-7000-8000-000000000001-3");
  EXPECT_EQ(again->phase, Phase::publishing);
  EXPECT_EQ(again->run, state.run);
  EXPECT_EQ(again->handle, "4711");
  EXPECT_EQ(again->end, state.end);
  EXPECT_EQ(again->token(), "mdl_secret");
}

TEST_F(AttemptStateTest, IsForItsOwnerAlone) {
  AttemptState(lease()).save(files());
  const auto others = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(files().state()).permissions() & others, fs::perms::none);
}

TEST_F(AttemptStateTest, ThatIsDamagedIsSaidToBe) {
  write_file(files().state(), "{\"phase\": \"running\"");
  EXPECT_THROW(AttemptState::find(files()), Error);
  write_file(files().state(), "{\"phase\": \"dancing\"}");
  EXPECT_THROW(AttemptState::find(files()), Error);
}

TEST_F(AttemptStateTest, IsMadeOfNoLeaseThatLacksWhatItNeeds) {
  for (const char* member : {"id", "attempt", "token", "command", "produces"}) {
    Json incomplete = lease();
    incomplete.erase(member);
    EXPECT_THROW(AttemptState{incomplete}, Error) << member;
  }
  Json elsewhere = lease();
  elsewhere["id"] = "../../etc";
  EXPECT_THROW(AttemptState{elsewhere}, Error);
}

TEST_F(AttemptStateTest, KnowsWhatIsToBeMade) {
  const Production production = production_of(lease());
  EXPECT_EQ(production.artifact.text(), "lhcb/trk");
  EXPECT_EQ(production.kind, storage::ArtifactKind::model);
  ASSERT_EQ(production.files.size(), 2u);
  EXPECT_EQ(production.files[0].pattern, "out/*.so");
  EXPECT_EQ(production.files[1].platform, "x86_64");
  EXPECT_EQ(production.metrics, "m.json");
  EXPECT_THAT(production.aliases, ElementsAre("staging"));
}

class WorkDirectoryTest : public AttemptStateTest {
 protected:
  WorkDirectory open(std::size_t keep_failed = 2) {
    return WorkDirectory::open(directory_.path(), keep_failed);
  }
  static AttemptFiles begin(const WorkDirectory& work, int attempt) {
    const AttemptState state(lease(attempt));
    const AttemptFiles files = work.files_of(state);
    fs::create_directories(files.directory());
    state.save(files);
    write_file(files.log(), "log");
    return files;
  }
  std::vector<fs::path> failed() const {
    return {fs::directory_iterator(directory_ / "failed"), fs::directory_iterator()};
  }
};

TEST_F(WorkDirectoryTest, IsOfOneAgentAtATime) {
  const WorkDirectory work = open();
  EXPECT_THROW(open(), Error);
}

TEST_F(WorkDirectoryTest, RemembersWhatWasBegun) {
  const WorkDirectory work = open();
  EXPECT_THAT(work.unfinished(), IsEmpty());
  begin(work, 1);
  const AttemptFiles second = begin(work, 2);
  fs::create_directories(fs::path(directory_ / "jobs") / "without-a-state");
  EXPECT_EQ(work.unfinished().size(), 2u);
  EXPECT_FALSE(fs::exists(fs::path(directory_ / "jobs") / "without-a-state"));
  work.remove(second);
  EXPECT_EQ(work.unfinished().size(), 1u);
}

TEST_F(WorkDirectoryTest, LeavesAloneWhatMakesNoSense) {
  const WorkDirectory work = open();
  write_file(begin(work, 1).state(), "{");
  EXPECT_THAT(work.unfinished(), IsEmpty());
  EXPECT_FALSE(fs::is_empty(directory_ / "jobs"));
}

TEST_F(WorkDirectoryTest, KeepsTheLastThatFailedWithoutTheirSecrets) {
  const WorkDirectory work = open(2);
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const AttemptFiles files = begin(work, attempt);
    write_file(files.environment(), "secret");
    fs::last_write_time(files.directory(), fs::file_time_type::clock::now() -
                                               std::chrono::hours(10 - attempt));
    work.keep(files);
    EXPECT_FALSE(fs::exists(files.directory()));
  }
  ASSERT_EQ(failed().size(), 2u);
  for (const fs::path& kept : failed()) {
    EXPECT_FALSE(kept.string().ends_with("-1"));
    EXPECT_TRUE(fs::exists(kept / "log"));
    EXPECT_FALSE(fs::exists(kept / "state.json"));
    EXPECT_FALSE(fs::exists(kept / "environment"));
  }
}

TEST_F(WorkDirectoryTest, KeepsNoneIfItIsToKeepNone) {
  const WorkDirectory work = open(0);
  work.keep(begin(work, 1));
  EXPECT_FALSE(fs::exists(directory_ / "failed"));
  EXPECT_THAT(work.unfinished(), IsEmpty());
}

}  // namespace
}  // namespace mendel::cli
