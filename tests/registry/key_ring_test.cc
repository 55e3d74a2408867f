#include "registry/services/egress/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOld = KeyRing::make_key();
const std::string kNew = KeyRing::make_key();

ErrorCode failure_of(const KeyRing& ring, std::string_view purpose,
                     const KeyRing::Sealed& sealed) {
  try {
    ring.open(purpose, sealed);
    return ErrorCode::internal;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(KeyRing, OpensWhatItSealed) {
  const auto ring = KeyRing::parse(kOld + "\n");
  for (const std::string& plain : {std::string(), std::string("hunter2"),
                                   std::string(70'000, 'x'), std::string("\0\xff", 2)}) {
    EXPECT_EQ(ring.open("secret 1/x", ring.seal("secret 1/x", plain)), plain);
  }
}

TEST(KeyRing, SealsTheSameDifferentlyEachTime) {
  const auto ring = KeyRing::parse(kOld);
  const auto first = ring.seal("p", "hunter2");
  EXPECT_NE(first.bytes, ring.seal("p", "hunter2").bytes);
  EXPECT_THAT(std::string(as_text(first.bytes)), Not(HasSubstr("hunter2")));
}

TEST(KeyRing, NoticesEveryBitThatChanged) {
  const auto ring = KeyRing::parse(kOld);
  const auto sealed = ring.seal("secret 1/x", "hunter2");
  for (std::size_t bit = 0; bit < sealed.bytes.size() * 8; ++bit) {
    auto changed = sealed;
    changed.bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_EQ(failure_of(ring, "secret 1/x", changed), ErrorCode::data_loss) << bit;
  }
  for (std::size_t size = 0; size < sealed.bytes.size(); ++size) {
    auto cut = sealed;
    cut.bytes.resize(size);
    EXPECT_EQ(failure_of(ring, "secret 1/x", cut), ErrorCode::data_loss) << size;
  }
}

TEST(KeyRing, OpensNothingUnderAnotherName) {
  const auto ring = KeyRing::parse(kOld);
  const auto sealed = ring.seal("secret 1/x", "hunter2");
  EXPECT_EQ(failure_of(ring, "secret 2/x", sealed), ErrorCode::data_loss);
  EXPECT_EQ(failure_of(ring, "secret 1/y", sealed), ErrorCode::data_loss);
}

TEST(KeyRing, EncryptsWithTheFirstKeyAndDecryptsWithAll) {
  const auto before = KeyRing::parse(kOld);
  const auto after = KeyRing::parse("# rotated\n" + kNew + "\r\n\n" + kOld);
  EXPECT_NE(before.newest(), after.newest());
  EXPECT_EQ(after.open("p", before.seal("p", "hunter2")), "hunter2");
  EXPECT_EQ(after.seal("p", "hunter2").key_id, after.newest());
  EXPECT_EQ(failure_of(before, "p", after.seal("p", "hunter2")), ErrorCode::unavailable);
}

TEST(KeyRing, RefusesKeysThatAreNoneWithoutQuotingThem) {
  for (const std::string& text :
       {std::string(), std::string("\n# none\n"), std::string("hunter2"),
        kOld.substr(0, 40) + "====", kOld + kOld, kOld + "\nhunter2", " " + kOld}) {
    try {
      KeyRing::parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
    }
  }
}

TEST(KeyRing, WithoutKeysIsNoVault) {
  EXPECT_THROW(KeyRing().seal("p", "x"), Error);
  EXPECT_EQ(failure_of(KeyRing(), "p", KeyRing::parse(kOld).seal("p", "x")),
            ErrorCode::unavailable);
}

}  // namespace
}  // namespace mendel::registry
