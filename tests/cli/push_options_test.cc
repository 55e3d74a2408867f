#include "cli/push_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::cli {
namespace {

using ::testing::HasSubstr;

std::string refusal(const PushOptions& options) {
  try {
    ADD_FAILURE() << gather_files(options).size();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "";
}

TEST(PushOptions, LeaveTheCommitToTheRun) {
  PushOptions options;
  EXPECT_FALSE(pedigree_of(options).source.no_git);
  options.run = "0190a5f0-0000-7000-8000-000000000000";
  EXPECT_TRUE(pedigree_of(options).source.no_git);
  options.pedigree.source.directory = ".";
  EXPECT_FALSE(pedigree_of(options).source.no_git);
  options.pedigree.source.directory = "";
  options.pedigree.source.require_clean = true;
  EXPECT_FALSE(pedigree_of(options).source.no_git);
}

TEST(PushOptions, NeedSomethingToPush) {
  PushOptions options;
  EXPECT_THAT(refusal(options), HasSubstr("nothing to push"));
  options.components = {"tracking=lhcb/trk:1"};
  EXPECT_TRUE(gather_files(options).empty());
}

TEST(PushOptions, TakeACheckpointOfARunAndNothingBesideIt) {
  PushOptions options;
  options.checkpoint = "last";
  EXPECT_THAT(refusal(options), HasSubstr("--checkpoint needs --run"));
  options.run = "0190a5f0-0000-7000-8000-000000000000";
  EXPECT_TRUE(gather_files(options).empty());
  EXPECT_EQ(description_of(options), Json({{"run", options.run}, {"checkpoint", "last"}}));
  options.paths = {"out"};
  EXPECT_THAT(refusal(options), HasSubstr("name no others"));
}

TEST(PushOptions, ReadStandardInputOnce) {
  PushOptions options;
  options.list = "-";
  options.pedigree.params = "-";
  EXPECT_THAT(refusal(options), HasSubstr("standard input"));
}

}  // namespace
}  // namespace mendel::cli
