#include "registry/services/caller.h"

#include <gtest/gtest.h>

#include <set>

#include "registry/services/secret.h"
#include "storage/base/error.h"

namespace mendel::registry {
namespace {

TEST(Role, ComesBackFromItsText) {
  for (const Role role : {Role::reader, Role::writer, Role::maintainer, Role::owner}) {
    EXPECT_EQ(parse_role(to_string(role)), role);
  }
  EXPECT_EQ(parse_role("none"), std::nullopt);
  EXPECT_EQ(parse_role("Owner"), std::nullopt);
}

TEST(Scope, ComesBackFromItsText) {
  for (const Scope scope :
       {Scope::read, Scope::write, Scope::admin, Scope::kpi, Scope::agent}) {
    EXPECT_EQ(parse_scope(to_string(scope)), scope);
    EXPECT_TRUE(Scopes::all().has(scope));
  }
  EXPECT_EQ(parse_scope("none"), std::nullopt);
}

TEST(Visibility, ComesBackFromItsText) {
  for (const Visibility visibility :
       {Visibility::private_, Visibility::internal, Visibility::public_}) {
    EXPECT_EQ(parse_visibility(to_string(visibility)), visibility);
  }
  EXPECT_EQ(parse_visibility(""), std::nullopt);
}

TEST(Scopes, IncludeTheirParts) {
  Scopes read_write;
  read_write.add(Scope::read);
  read_write.add(Scope::write);
  EXPECT_TRUE(Scopes::all().includes(read_write));
  EXPECT_TRUE(read_write.includes(Scopes()));
  EXPECT_FALSE(read_write.includes(Scopes::all()));
  EXPECT_EQ(Scopes::from_bits(read_write.bits()), read_write);
}

TEST(Scopes, RefuseBitsThatNoScopeHas) { EXPECT_THROW(Scopes::from_bits(32), Error); }

TEST(Caller, AdministersTheServerOnlyWithItsScopeAndUnbound) {
  Caller caller{.principal = 1,
                .name = "admin",
                .is_admin = true,
                .scopes = Scopes::all(),
                .only_namespace = std::nullopt,
                .expires_at = std::nullopt};
  EXPECT_TRUE(caller.administers_server());

  Caller bound = caller;
  bound.only_namespace = 7;
  EXPECT_FALSE(bound.administers_server());

  Caller weak = caller;
  weak.scopes = Scopes();
  weak.scopes.add(Scope::write);
  EXPECT_FALSE(weak.administers_server());

  Caller other = caller;
  other.is_admin = false;
  EXPECT_FALSE(other.administers_server());
}

TEST(Secret, IsNewEachTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = make_secret();
    EXPECT_TRUE(is_secret(secret)) << secret;
    seen.insert(secret);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Secret, IsToldFromOtherTexts) {
  const std::string good = make_secret();
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "A", "Mdl_" + good.substr(4),
        good.substr(0, 46) + "=", good.substr(0, 46) + "/", good.substr(0, 46) + " "}) {
    EXPECT_FALSE(is_secret(bad)) << bad;
  }
}

}  // namespace
}  // namespace mendel::registry
