#include "cli/platform_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::cli {
namespace {

using ::testing::ElementsAre;

storage::ManifestFile file(const std::string& path, const std::string& platform) {
  storage::ManifestFile file;
  file.path = path;
  file.platform = platform;
  file.digest = Digest::of(path + platform);
  return file;
}

// libtrk.so for everybody and for two platforms, a README for everybody.
const storage::Manifest kManifest{
    {},
    {file("README", ""), file("lib.so", ""), file("lib.so", "x86_64-el9"),
     file("lib.so", "x86_64_v2-el9")},
    {}};

std::vector<std::size_t> positions(const PlatformChoice& choice) {
  std::vector<std::size_t> positions;
  for (const ChosenFile& file : choose_files(kManifest, choice))
    positions.push_back(file.position);
  return positions;
}

TEST(PlatformChoice, StopsWhenThereAreSeveralAndNothingWasSaid) {
  try {
    choose_files(kManifest, parse_platform_choice("", ""));
    FAIL() << "chose one of several platforms";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("x86_64-el9, x86_64_v2-el9"));
  }
}

TEST(PlatformChoice, TakesTheOnlyPlatformWithoutBeingTold) {
  const storage::Manifest one{{}, {file("a", ""), file("a", "p")}, {}};
  const auto chosen = choose_files(one, parse_platform_choice("", ""));
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].position, 1u);
}

TEST(PlatformChoice, PrefersAPlatformsFileToTheOneForAll) {
  EXPECT_THAT(positions(parse_platform_choice("x86_64-el9", "")), ElementsAre(0, 2));
}

TEST(PlatformChoice, RefusesAPlatformThatNothingIsFor) {
  EXPECT_THROW(positions(parse_platform_choice("aarch64-el9", "")), Error);
}

TEST(PlatformChoice, TakesTheHighestLevelThatTheMachineHas) {
  EXPECT_THAT(positions(parse_platform_choice("auto", "x86_64_v4-el9")), ElementsAre(0, 3));
  EXPECT_THAT(positions(parse_platform_choice("auto", "x86_64-el9")), ElementsAre(0, 2));
}

TEST(PlatformChoice, FallsBackToWhatIsForAllPlatforms) {
  EXPECT_THAT(positions(parse_platform_choice("auto", "aarch64-el9")), ElementsAre(0, 1));
}

TEST(PlatformChoice, NeedsToKnowThePlatformForAuto) {
  EXPECT_THROW(parse_platform_choice("auto", ""), Error);
}

TEST(PlatformChoice, PutsEachPlatformIntoADirectoryOfItsNameForAll) {
  std::vector<std::string> paths;
  for (const auto& file : choose_files(kManifest, parse_platform_choice("all", ""))) {
    paths.push_back(file.path);
  }
  EXPECT_THAT(paths,
              ElementsAre("README", "lib.so", "x86_64-el9/lib.so", "x86_64_v2-el9/lib.so"));
}

TEST(PlatformChoice, KnowsTheLowerLevelsOfAnArchitecture) {
  EXPECT_THAT(with_lower_levels("x86_64_v3-el9-gcc13-opt"),
              ElementsAre("x86_64_v3-el9-gcc13-opt", "x86_64_v2-el9-gcc13-opt",
                          "x86_64-el9-gcc13-opt"));
  EXPECT_THAT(with_lower_levels("x86_64-el9"), ElementsAre("x86_64-el9"));
  EXPECT_THAT(with_lower_levels("odd_vx-el9"), ElementsAre("odd_vx-el9"));
}

}  // namespace
}  // namespace mendel::cli
