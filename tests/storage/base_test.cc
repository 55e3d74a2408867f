#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/base/posix_error.h"
#include "storage/base/sha256.h"
#include "tests/testing/random_bytes.h"

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

TEST(Sha256, GoesOnByItselfAfterACopy) {
  Sha256 original;
  original.update(as_bytes("ab"));
  Sha256 copy = original;
  original.update(as_bytes("c"));
  EXPECT_EQ(copy.finish(), Digest::of("ab"));
  EXPECT_EQ(original.finish(), Digest::of("abc"));
}

TEST(Sha256, TakesTheSameBytesForTwoMessagesWhereverTheyBegan) {
  const auto data = testing::random_bytes(1000, 42);
  const std::span<const std::byte> bytes(data);
  for (std::size_t lead = 0; lead < 130; ++lead) {
    for (const std::size_t size : {0, 1, 63, 64, 127, 128, 129, 191, 192, 500, 870}) {
      Sha256 whole;
      Sha256 part;
      whole.update(bytes.first(lead));
      Sha256::update_both(part, whole, bytes.subspan(lead, size));
      EXPECT_EQ(part.finish(), Digest::of(bytes.subspan(lead, size)))
          << lead << " " << size;
      EXPECT_EQ(whole.finish(), Digest::of(bytes.first(lead + size)))
          << lead << " " << size;
    }
  }
}

// The length in bits passes 32 bits after 512 MiB.
TEST(Sha256, CountsTheBytesOfLongPairs) {
  const std::vector<std::byte> zeros(1 << 20);
  Sha256 first;
  Sha256 second;
  second.update(as_bytes("!"));
  Sha256 alone = first;
  for (int i = 0; i < 513; ++i) {
    Sha256::update_both(first, second, zeros);
    alone.update(zeros);
  }
  EXPECT_EQ(first.finish(), alone.finish());
}

TEST(ErrorCode, ComesBackFromItsWireName) {
  for (const auto code :
       {ErrorCode::invalid_argument, ErrorCode::gone, ErrorCode::data_loss}) {
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

TEST(PosixError, SaysWhatTheCallerCanDo) {
  const auto code_of = [](int error_number) {
    try {
      throw_posix_error("read", "/a", error_number);
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code_of(ENOSPC), ErrorCode::out_of_space);
  EXPECT_EQ(code_of(EDQUOT), ErrorCode::out_of_space);
  EXPECT_EQ(code_of(EIO), ErrorCode::unavailable);
  EXPECT_EQ(code_of(EMFILE), ErrorCode::unavailable);
  EXPECT_EQ(code_of(ENOENT), ErrorCode::not_found);
  EXPECT_EQ(code_of(EACCES), ErrorCode::internal);
}

}  // namespace
}  // namespace mendel
