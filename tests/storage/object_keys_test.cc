#include "storage/object_keys.h"

#include <gtest/gtest.h>

#include "storage/base/error.h"

namespace mendel::storage {
namespace {

TEST(PackKey, FansOutByTheFirstTwoDigits) {
  EXPECT_EQ(pack_key(Digest::of("abc")),
            "packs/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(PackKey, ComesBackAsTheNameOfThePack) {
  EXPECT_EQ(pack_name_of(pack_key(Digest::of("abc"))), Digest::of("abc"));
}

TEST(PackKey, IsNoOtherText) {
  const std::string key = pack_key(Digest::of("abc"));
  for (const std::string& other :
       {std::string(), key.substr(1), key + "0", "packs/" + key.substr(9),
        "packs/bb/" + key.substr(9), key.substr(9), key.substr(0, key.size() - 1) + "D"}) {
    EXPECT_EQ(pack_name_of(other), std::nullopt) << other;
  }
}

TEST(AnchorKey, FollowsTheChain) {
  const Digest hash = Digest::of("abc");
  EXPECT_EQ(anchor_key({42, hash}),
            "ledger/anchors/00000000000000000042-"
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_LT(anchor_key({9, hash}), anchor_key({10, hash}));
}

TEST(AnchorKey, ComesBackAsTheAnchorAndIsNoOtherText) {
  const AnchorName anchor{INT64_MAX, Digest::of("abc")};
  const std::string key = anchor_key(anchor);
  EXPECT_EQ(anchor_of(key), anchor);
  for (const std::string& other :
       {std::string(), std::string(kAnchorPrefix), key.substr(1), key + "0",
        key.substr(0, key.size() - 1), key.substr(0, 15) + "9" + key.substr(16),
        key.substr(0, 15) + "-" + key.substr(16),
        key.substr(0, 35) + "+" + key.substr(36)}) {
    EXPECT_EQ(anchor_of(other), std::nullopt) << other;
  }
}

TEST(ObjectKey, MayNotEscapeOrBeAmbiguous) {
  EXPECT_NO_THROW(check_object_key("packs/ab/c.d"));
  EXPECT_NO_THROW(check_object_key("..."));
  for (const std::string& bad :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("../a"), std::string("a/.."), std::string("./a"), std::string("a/./b"),
        std::string("a\0b", 3), std::string(256, 'a')}) {
    EXPECT_THROW(check_object_key(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace mendel::storage
