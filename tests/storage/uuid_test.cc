#include "storage/base/uuid.h"

#include <gtest/gtest.h>

#include <set>

namespace mendel {
namespace {

// The timestamp of RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F.
TEST(Uuid, HoldsTheMillisecondAndTheVersion) {
  const std::string uuid = make_uuid_v7(parse_rfc3339("2022-02-22T14:22:22.000999-05:00"));
  EXPECT_TRUE(uuid.starts_with("017f22e2-79b0-7")) << uuid;
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
  EXPECT_TRUE(is_uuid(uuid)) << uuid;
}

TEST(Uuid, DiffersEachTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(make_uuid_v7(Timestamp()));
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Uuid, RefusesOtherTexts) {
  const std::string good = make_uuid_v7(Timestamp());
  for (const std::string& bad :
       {std::string(), good + "0", good.substr(1), "g" + good.substr(1),
        std::string("0000000000000-7000-8000-000000000000"),
        std::string("00000000-0000-7000-8000-00000000000A")}) {
    EXPECT_FALSE(is_uuid(bad)) << bad;
  }
}

}  // namespace
}  // namespace mendel
