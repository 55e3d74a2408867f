#include "cli/input_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

using ::testing::HasSubstr;

const std::string kHex(64, 'a');

Json data(const std::string& text) { return parse_input("--data", "trained-on", text); }

std::string refusal(const std::string& text) {
  try {
    ADD_FAILURE() << data(text).dump();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "";
}

TEST(InputOption, TellsReferencesFromUris) {
  EXPECT_EQ(data("lhcb/calib:3"), Json({{"role", "trained-on"}, {"ref", "lhcb/calib:3"}}));
  EXPECT_EQ(data("lhcb/calib")["ref"], "lhcb/calib@latest");
  EXPECT_EQ(data("lhcb/calib@production")["ref"], "lhcb/calib@production");
  EXPECT_EQ(data("lhcb/calib@sha256:" + kHex)["ref"], "lhcb/calib@sha256:" + kHex);
  for (const char* uri : {"root://eos.example.org//eos/f.root", "doi:10.5281/zenodo.1",
                          "https://example.org/f?a=b@c", "file:///data/f"}) {
    EXPECT_EQ(data(uri), Json({{"role", "trained-on"}, {"uri", uri}}));
  }
}

TEST(InputOption, TakesTheDigestOfAUri) {
  EXPECT_EQ(data("root://eos//f@sha256:" + kHex), Json({{"role", "trained-on"},
                                                        {"uri", "root://eos//f"},
                                                        {"digest", "sha256:" + kHex}}));
  const std::string image = "docker://example.org/train@sha256:" + kHex;
  EXPECT_EQ(data(image)["uri"], image);
  EXPECT_EQ(data(image)["digest"], "sha256:" + kHex);
}

TEST(InputOption, TakesANameInFront) {
  EXPECT_EQ(data("calib=lhcb/calib:3"),
            Json({{"role", "trained-on"}, {"ref", "lhcb/calib:3"}, {"name", "calib"}}));
  EXPECT_EQ(data("calib=https://example.org/?a=b"),
            Json({{"role", "trained-on"},
                  {"uri", "https://example.org/?a=b"},
                  {"name", "calib"}}));
}

TEST(InputOption, RefusesWhatIsNeitherAndNamesTheOption) {
  for (const char* bad : {"", "calib", "lhcb/", "lhcb/calib:0", "lhcb/calib:x",
                          "a b=lhcb/x", "=lhcb/x", "root://eos//f@sha256:12",
                          "https://example.org/a b", "https://me:secret@example.org/f"}) {
    EXPECT_THAT(refusal(bad), HasSubstr("--data " + std::string(bad) + ": ")) << bad;
  }
}

}  // namespace
}  // namespace mendel::cli
