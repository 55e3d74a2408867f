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
