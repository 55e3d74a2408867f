#include "cli/agent/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/local_file.h"
#include "storage/base/error.h"
#include "tests/cli/test_files.h"
#include "tests/testing/temporary_directory.h"

namespace mendel::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Files of a checkout, some of them older than the command.
class Outputs : public ::testing::Test {
 protected:
  void make(const std::string& name) { write_file(source() / name, name); }

  void make_old(const std::string& name) {
    make(name);
    fs::last_write_time(source() / name,
                        fs::file_time_type::clock::now() - std::chrono::hours(1));
  }

  std::vector<std::string> collect(const std::vector<OutputRule>& rules) {
    std::vector<std::string> names;
    for (const ScannedFile& file : collect_outputs(source(), rules, begin_ns_)) {
      names.push_back(file.entry.platform.empty()
                          ? file.entry.path
                          : file.entry.platform + ":" + file.entry.path);
    }
    return names;
  }

  std::string why_refused(const std::vector<OutputRule>& rules) {
    try {
      collect(rules);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unprocessable);
      return error.what();
    }
  }

  fs::path source() const { return directory_ / "source"; }

  testing::TemporaryDirectory directory_;
  const std::int64_t begin_ns_ = now_ns() - 60'000'000'000;
};

TEST_F(Outputs, AreNamedFromTheDirectoryThatTheirPatternBeginsWith) {
  make("out/lib.so");
  make("out/deep/other.so");
  make("out/notes.txt");
  EXPECT_THAT(collect({{"out/*.so", ""}}), ElementsAre("lib.so"));
  EXPECT_THAT(collect({{"out/lib.so", ""}}), ElementsAre("lib.so"));
  EXPECT_THAT(collect({{"out/**/*.so", ""}}), ElementsAre("deep/other.so", "lib.so"));
  EXPECT_THAT(collect({{"**/*.so", ""}}), ElementsAre("out/deep/other.so", "out/lib.so"));
}

TEST_F(Outputs, OfADirectoryAreAllOfItsFiles) {
  make("out/a");
  make("out/b/c");
  make("models/x/w");
  EXPECT_THAT(collect({{"out", ""}}), ElementsAre("a", "b/c"));
  EXPECT_THAT(collect({{"out/", ""}}), ElementsAre("a", "b/c"));
  EXPECT_THAT(collect({{"models/*", ""}}), ElementsAre("x/w"));
}

TEST_F(Outputs, MayBeForPlatforms) {
  make("x86/lib.so");
  make("arm/lib.so");
  EXPECT_THAT(collect({{"x86/*", "x86_64"}, {"arm/*", "aarch64"}}),
              ElementsAre("aarch64:lib.so", "x86_64:lib.so"));
}

TEST_F(Outputs, ThatTwoPatternsMeanAreOne) {
  make("out/a");
  EXPECT_THAT(collect({{"out/a", ""}, {"out/*", ""}}), ElementsAre("a"));
}

TEST_F(Outputs, KnowTheirSizeAndWhetherTheyMayBeRun) {
  make("out/run");
  fs::permissions(source() / "out/run", fs::perms::owner_all);
  const auto files = collect_outputs(source(), {{"out/*", ""}}, begin_ns_);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_TRUE(files[0].entry.executable);
  EXPECT_EQ(files[0].entry.size_bytes, 7u);
  EXPECT_EQ(files[0].source, source() / "out/run");
}

TEST_F(Outputs, AreNeitherGitsNorWhatWasLaidOut) {
  make("a");
  make(".git/config");
  make("sub/.git");
  write_file(fs::path(directory_ / "inputs") / "data/b", "b");
  write_file(directory_ / "params.json", "{}");
  fs::create_symlink("../inputs", source() / "inputs");
  fs::create_symlink("../params.json", source() / "params.json");
  EXPECT_THAT(collect({{"**", ""}}), ElementsAre("a"));
}

TEST_F(Outputs, ThatAreNotThereAreNamed) {
  make("out/a");
  EXPECT_EQ(why_refused({{"out/a", ""}, {"out/*.so", ""}}), "matched nothing: out/*.so");
}

TEST_F(Outputs, ThatAreOlderThanTheCommandAreRefused) {
  make("out/new");
  make_old("out/old");
  EXPECT_THAT(why_refused({{"out/*", ""}}), HasSubstr("out/old is older than the job"));
  EXPECT_THAT(collect({{"out/new", ""}}), ElementsAre("new"));
}

TEST_F(Outputs, MayBeLinksWithinTheSource) {
  make("out/lib.so.1");
  fs::create_symlink("lib.so.1", source() / "out/lib.so");
  EXPECT_THAT(collect({{"out/lib.so", ""}}), ElementsAre("lib.so"));
}

TEST_F(Outputs, ThatLeadOutOfTheSourceAreRefused) {
  make("a");
  fs::create_directories(source() / "out");
  fs::create_symlink("/etc/passwd", source() / "out/secret");
  EXPECT_THAT(why_refused({{"out/*", ""}}), HasSubstr("leads out of the source"));
}

TEST_F(Outputs, ThatAreNoFilesAreRefused) {
  make("a");
  fs::create_directories(source() / "out");
  ASSERT_EQ(::mkfifo((source() / "out/pipe").c_str(), 0600), 0);
  EXPECT_THAT(why_refused({{"out/*", ""}}), HasSubstr("is no file"));
  fs::remove(source() / "out/pipe");
  fs::create_symlink("nowhere", source() / "out/dangling");
  EXPECT_THAT(why_refused({{"out/*", ""}}), HasSubstr("is a link to nothing"));
}

TEST_F(Outputs, OfTheSamePathAreRefused) {
  make("a/lib.so");
  make("b/lib.so");
  EXPECT_THAT(why_refused({{"a/*", ""}, {"b/*", ""}}), HasSubstr("is the second file for"));
}

TEST_F(Outputs, CanBeFoundByTheirName) {
  make("out/metrics.json");
  make_old("out/old.json");
  EXPECT_EQ(find_output(source(), "out/metrics.json", begin_ns_),
            source() / "out/metrics.json");
  EXPECT_THROW(find_output(source(), "out/none.json", begin_ns_), Error);
  EXPECT_THROW(find_output(source(), "out/old.json", begin_ns_), Error);
}

}  // namespace
}  // namespace mendel::cli
