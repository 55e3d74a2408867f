#include <gtest/gtest.h>

#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel {
namespace {

// FIPS 180-4's own example.
TEST(Digest, IsTheOneThatSha256sumPrints) {
  EXPECT_EQ(Digest::of("abc").to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, ComesBackFromItsText) {
  const Digest digest = Digest::of("weights");
  EXPECT_EQ(Digest::parse(digest.to_string()), digest);
}

TEST(Digest, RefusesOtherTexts) {
  const std::string good = Digest::of("weights").to_string();
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "0", "sha512:" + good.substr(7),
        good.substr(0, good.size() - 1) + "G", good.substr(0, good.size() - 1) + "A"}) {
    EXPECT_EQ(Digest::find_in(bad), std::nullopt) << bad;
    EXPECT_THROW(Digest::parse(bad), Error) << bad;
  }
}

TEST(Sha256, IsReadyForTheNextMessageAfterFinish) {
  Sha256 sha256;
  sha256.update(as_bytes("ab"));
  sha256.update(as_bytes("c"));
  EXPECT_EQ(sha256.finish(), Digest::of("abc"));
  EXPECT_EQ(sha256.finish(), Digest::of(""));
}

TEST(ErrorCode, ComesBackFromItsWireName) {
  for (const auto code :
       {ErrorCode::invalid_argument, ErrorCode::internal, ErrorCode::data_loss}) {
    EXPECT_EQ(parse_error_code(wire_name(code)), code);
  }
  EXPECT_EQ(parse_error_code("teapot"), std::nullopt);
}

TEST(Timestamp, ComesBackFromRfc3339) {
  for (const char* text : {"2024-02-13T00:00:00Z", "2024-02-13T12:34:56.000001Z"}) {
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text)), text);
  }
  EXPECT_EQ(parse_rfc3339("2024-02-13T02:00:00+02:00"),
            parse_rfc3339("2024-02-13T00:00:00Z"));
}

TEST(Timestamp, ABareDateMeansTheEndOfThatDay) {
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2024-02-13")), "2024-02-13T23:59:59.999999Z");
}

TEST(Timestamp, RefusesOtherTexts) {
  for (const char* text :
       {"", "yesterday", "2024-13-01", "2024-02-13T00:00:00", "2024-02-30"}) {
    EXPECT_THROW(parse_rfc3339(text), Error) << text;
  }
}

}  // namespace
}  // namespace mendel
