#include "registry/services/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <thread>

#include "registry/services/change_feed.h"
#include "registry/services/namespaces.h"
#include "registry/services/principals.h"
#include "registry/services/secret.h"
#include "registry/services/tokens.h"
#include "schema/access.h"
#include "schema/changes.h"
#include "schema/transaction.h"
#include "storage/base/error.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/test_database.h"
#include "tests/testing/wait.h"

namespace mendel::registry {
namespace {

using ::testing::ElementsAre;
using testing::eventually;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

Name ns_name(std::string_view text) { return Name::parse("a namespace", text); }
Name principal_name(std::string_view text) { return Name::parse("a principal", text); }

Scopes scopes_of(std::initializer_list<Scope> list) {
  Scopes scopes;
  for (const Scope scope : list) scopes.add(scope);
  return scopes;
}

template <class Item>
void always(const Item*) {}

template <class Call>
std::optional<ErrorCode> refusal_of(Call call) {
  try {
    call();
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// The access services of one server; several share a database.
struct Server {
  Server(schema::Database& database, const Clock& clock)
      : changes(database),
        access(database, changes, clock),
        namespaces(database, changes, access),
        principals(database, changes),
        tokens(database, changes, access, clock) {
    changes.start();
    if (!eventually([this] { return changes.fresh(); })) ADD_FAILURE() << "never fresh";
  }
  ~Server() { changes.stop(); }

  ChangeFeed changes;
  AccessService access;
  NamespaceService namespaces;
  PrincipalService principals;
  TokenService tokens;
};

class Access : public ::testing::Test {
 protected:
  Access() {
    const std::string secret = make_secret();
    server.tokens.establish_bootstrap_token(secret,
                                            TokenService::OtherBootstrapTokens::keep);
    admin = server.access.authenticate(secret);
  }

  NamespaceInfo make_namespace(std::string_view name, Visibility visibility) {
    return server.namespaces
        .put(admin, ns_name(name), {.description = std::nullopt, .visibility = visibility},
             always<NamespaceInfo>)
        .item;
  }

  TokenService::Issued issue(std::string_view principal, TokenRequest request) {
    request.principal = principal_name(principal);
    return server.tokens.issue(admin, request);
  }

  TokenRequest everything() {
    TokenRequest request;
    request.scopes = Scopes::all();
    return request;
  }

  void make_principal(std::string_view name) {
    server.principals.put(admin, principal_name(name), {}, always<Principal>);
  }

  // A new principal with a token for everything.
  Caller make_caller(std::string_view name) {
    make_principal(name);
    return server.access.authenticate(issue(name, everything()).secret);
  }

  void grant(std::string_view ns, std::string_view principal, Role role) {
    server.namespaces.put_member(admin,
                                 server.access.require(admin, ns_name(ns), Role::owner).ns,
                                 principal_name(principal), role, always<Member>);
  }

  std::optional<ErrorCode> refusal(const Caller& caller, std::string_view ns, Role needed) {
    return refusal_of([&] { server.access.require(caller, ns_name(ns), needed); });
  }

  testing::TestDatabase test_database;
  schema::Database& database = test_database.database();
  testing::ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
  Server server{database, clock};
  Caller admin;
  const Caller nobody;
};

TEST_F(Access, FollowsTheRole) {
  make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  EXPECT_EQ(refusal(anna, "lhcb", Role::reader), ErrorCode::not_found);
  for (const Role role : {Role::reader, Role::writer, Role::maintainer, Role::owner}) {
    grant("lhcb", "anna", role);
    for (const Role needed : {Role::reader, Role::writer, Role::maintainer, Role::owner}) {
      SCOPED_TRACE(std::string(to_string(role)) + " asks as " +
                   std::string(to_string(needed)));
      const auto expected =
          role >= needed ? std::nullopt : std::optional(ErrorCode::permission_denied);
      EXPECT_EQ(refusal(anna, "lhcb", needed), expected);
    }
  }
}

TEST_F(Access, FollowsTheVisibility) {
  make_namespace("private", Visibility::private_);
  make_namespace("internal", Visibility::internal);
  make_namespace("public", Visibility::public_);
  const Caller stranger = make_caller("stranger");

  EXPECT_EQ(refusal(nobody, "private", Role::reader), ErrorCode::unauthenticated);
  EXPECT_EQ(refusal(nobody, "internal", Role::reader), ErrorCode::unauthenticated);
  EXPECT_EQ(refusal(nobody, "absent", Role::reader), ErrorCode::unauthenticated);
  EXPECT_EQ(refusal(nobody, "public", Role::reader), std::nullopt);
  EXPECT_EQ(refusal(nobody, "public", Role::writer), ErrorCode::unauthenticated);

  EXPECT_EQ(refusal(stranger, "private", Role::reader), ErrorCode::not_found);
  EXPECT_EQ(refusal(stranger, "private", Role::writer), ErrorCode::not_found);
  EXPECT_EQ(refusal(stranger, "internal", Role::reader), std::nullopt);
  EXPECT_EQ(refusal(stranger, "internal", Role::writer), ErrorCode::permission_denied);
  EXPECT_EQ(refusal(stranger, "public", Role::reader), std::nullopt);
  EXPECT_EQ(refusal(stranger, "public", Role::writer), ErrorCode::permission_denied);

  for (const char* ns : {"private", "internal", "public"}) {
    EXPECT_EQ(refusal(admin, ns, Role::owner), std::nullopt) << ns;
  }
}

TEST_F(Access, NeedsTheScopeToo) {
  make_namespace("lhcb", Visibility::private_);
  make_namespace("public", Visibility::public_);
  make_caller("anna");
  grant("lhcb", "anna", Role::owner);
  const auto caller_with = [&](std::initializer_list<Scope> scopes) {
    TokenRequest request;
    request.scopes = scopes_of(scopes);
    return server.access.authenticate(issue("anna", request).secret);
  };

  const Caller reading = caller_with({Scope::read});
  EXPECT_EQ(refusal(reading, "lhcb", Role::reader), std::nullopt);
  EXPECT_EQ(refusal(reading, "lhcb", Role::writer), ErrorCode::permission_denied);
  EXPECT_EQ(refusal(reading, "lhcb", Role::owner), ErrorCode::permission_denied);

  const Caller writing = caller_with({Scope::read, Scope::write});
  EXPECT_EQ(refusal(writing, "lhcb", Role::maintainer), std::nullopt);
  EXPECT_EQ(refusal(writing, "lhcb", Role::owner), ErrorCode::permission_denied);

  const Caller counting = caller_with({Scope::kpi});
  EXPECT_EQ(refusal(counting, "lhcb", Role::reader), ErrorCode::not_found);
  EXPECT_EQ(refusal(counting, "lhcb", Role::writer), ErrorCode::not_found);
  EXPECT_EQ(refusal(counting, "public", Role::reader), std::nullopt);
}

TEST_F(Access, SaysTheSameOfTheHiddenAndTheAbsent) {
  make_namespace("hidden", Visibility::private_);
  const Caller stranger = make_caller("stranger");
  const auto ask = [&](const Caller& caller, const char* ns) {
    return message_of([&] { server.access.require(caller, ns_name(ns), Role::reader); });
  };
  EXPECT_EQ(ask(stranger, "hidden"), "no namespace named hidden");
  EXPECT_EQ(ask(stranger, "absent"), "no namespace named absent");
  EXPECT_EQ(ask(nobody, "hidden"), ask(nobody, "absent"));

  const auto put = [&](const char* ns) {
    return message_of(
        [&] { server.namespaces.put(stranger, ns_name(ns), {}, always<NamespaceInfo>); });
  };
  EXPECT_EQ(put("hidden"), put("absent"));
  EXPECT_NE(put("hidden"), "");
}

TEST_F(Access, FindsANamespaceInEverySpelling) {
  make_namespace("LHCb", Visibility::private_);
  EXPECT_EQ(server.access.require(admin, ns_name("lhcb"), Role::reader).ns.name, "LHCb");
}

TEST_F(Access, OfABoundTokenEndsAtItsNamespace) {
  make_namespace("lhcb", Visibility::private_);
  make_namespace("atlas", Visibility::internal);
  make_namespace("public", Visibility::public_);
  make_caller("anna");
  for (const char* ns : {"lhcb", "atlas", "public"}) grant(ns, "anna", Role::owner);
  TokenRequest request = everything();
  request.ns = ns_name("lhcb");
  const Caller bound = server.access.authenticate(issue("anna", request).secret);

  EXPECT_EQ(refusal(bound, "lhcb", Role::owner), std::nullopt);
  EXPECT_EQ(refusal(bound, "atlas", Role::reader), ErrorCode::not_found);
  EXPECT_EQ(refusal(bound, "public", Role::reader), std::nullopt) << "as without a token";
  EXPECT_EQ(refusal(bound, "public", Role::writer), ErrorCode::permission_denied);
  EXPECT_THAT(server.principals.roles(bound), ElementsAre(Pair("lhcb", Role::owner)));
}

TEST_F(Access, OfAnAdministratorsBoundTokenEndsThereToo) {
  make_namespace("lhcb", Visibility::private_);
  make_namespace("atlas", Visibility::private_);
  TokenRequest request = everything();
  request.ns = ns_name("lhcb");
  const Caller bound = server.access.authenticate(issue("admin", request).secret);

  EXPECT_EQ(refusal(bound, "lhcb", Role::owner), std::nullopt);
  EXPECT_EQ(refusal(bound, "atlas", Role::reader), ErrorCode::not_found);
  EXPECT_EQ(refusal_of([&] {
              server.namespaces.put(bound, ns_name("new"), {}, always<NamespaceInfo>);
            }),
            ErrorCode::permission_denied);
}

TEST_F(Access, RefusesTokensThatItDoesNotKnow) {
  for (const std::string& secret : {make_secret(), std::string(), std::string("hunter2")}) {
    EXPECT_EQ(refusal_of([&] { server.access.authenticate(secret); }),
              ErrorCode::unauthenticated);
    EXPECT_FALSE(server.access.remembered_caller(secret));
  }
}

TEST_F(Access, EndsWithTheToken) {
  make_principal("anna");
  TokenRequest request;
  request.expires_in_days = 1;
  const std::string secret = issue("anna", request).secret;
  server.access.authenticate(secret);

  clock.advance(std::chrono::days(1) - std::chrono::microseconds(1));
  EXPECT_EQ(server.access.authenticate(secret).name, "anna");
  EXPECT_TRUE(eventually([&] {
    server.access.authenticate(secret);
    return server.access.remembered_caller(secret).has_value();
  }));

  clock.advance(std::chrono::microseconds(1));
  EXPECT_FALSE(server.access.remembered_caller(secret));
  EXPECT_EQ(refusal_of([&] { server.access.authenticate(secret); }),
            ErrorCode::unauthenticated);
}

TEST_F(Access, IsRememberedAfterTheFirstQuestion) {
  make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  grant("lhcb", "anna", Role::writer);
  const std::string secret = issue("anna", everything()).secret;
  EXPECT_FALSE(server.access.remembered_caller(secret));
  EXPECT_FALSE(server.access.remembered_standing(anna, ns_name("lhcb")));

  EXPECT_TRUE(eventually([&] {
    server.access.authenticate(secret);
    return server.access.remembered_caller(secret).has_value();
  }));
  EXPECT_TRUE(eventually([&] {
    server.access.standing(anna, ns_name("LHCb"));
    const auto standing = server.access.remembered_standing(anna, ns_name("lhcb"));
    return standing && standing->role == Role::writer && standing->ns.name == "lhcb";
  }));
  EXPECT_TRUE(eventually([&] {
    server.access.standing(anna, ns_name("absent"));
    const auto standing = server.access.remembered_standing(anna, ns_name("absent"));
    return standing && standing->role == Role::none;
  }));
}

TEST_F(Access, IsTakenAwayAtOnceOnThisServer) {
  make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  grant("lhcb", "anna", Role::writer);
  EXPECT_EQ(refusal(anna, "lhcb", Role::writer), std::nullopt);
  grant("lhcb", "anna", Role::reader);
  EXPECT_EQ(refusal(anna, "lhcb", Role::writer), ErrorCode::permission_denied);

  const auto issued = issue("anna", everything());
  server.access.authenticate(issued.secret);
  server.tokens.revoke(admin, issued.token.id);
  EXPECT_FALSE(server.access.remembered_caller(issued.secret));
  EXPECT_EQ(refusal_of([&] { server.access.authenticate(issued.secret); }),
            ErrorCode::unauthenticated);
}

TEST_F(Access, IsTakenAwayOnOtherServersThroughTheFeed) {
  make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  const auto issued = issue("anna", everything());
  Server other(database, clock);
  const auto role_there = [&] { return other.access.standing(anna, ns_name("lhcb")).role; };
  const auto known_there = [&] {
    return !refusal_of([&] { other.access.authenticate(issued.secret); });
  };
  EXPECT_EQ(role_there(), Role::none);
  EXPECT_TRUE(known_there());

  grant("lhcb", "anna", Role::writer);
  EXPECT_TRUE(eventually([&] { return role_there() == Role::writer; }));

  server.tokens.revoke(admin, issued.token.id);
  EXPECT_TRUE(eventually([&] { return !known_there(); }));

  server.namespaces.put(admin, ns_name("lhcb"),
                        {.description = "new", .visibility = std::nullopt},
                        always<NamespaceInfo>);
  EXPECT_TRUE(eventually([&] {
    return other.access.standing(anna, ns_name("lhcb")).ns.description == "new";
  }));
}

// The number of statements that wait for a lock, in this database.
constexpr schema::Statement kCountWaiting{"count_waiting", R"sql(
    select count(*) as waiting
      from pg_locks
     where not granted
       and database = (select oid from pg_database where datname = current_database())
  )sql"};

// Goal: a role that was read before a change is not remembered when the reader comes back
// after the change was told.
// Method: the reader has its snapshot and waits for a lock while the role is changed.
TEST_F(Access, DoesNotRememberWhatAChangeOvertook) {
  const NamespaceInfo ns = make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  grant("lhcb", "anna", Role::writer);
  const auto role = [&] { return server.access.standing(anna, ns_name("lhcb")).role; };

  std::future<Role> overtaken;
  database.transact("hold a lock", [&](schema::Transaction& holder) {
    holder.exec_script("lock table namespace in access exclusive mode");
    server.changes.announce("access");
    overtaken = std::async(std::launch::async, role);
    ASSERT_TRUE(eventually([&] {
      return schema::at<std::int64_t>(holder.exec_one(kCountWaiting), "waiting") > 0;
    }));
    database.transact("change the role", [&](schema::Transaction& tx) {
      schema::upsert_member(tx, ns.id, anna.principal.value(), "reader");
      schema::record_change(tx, "access");
    });
    server.changes.announce("access");
  });

  EXPECT_EQ(overtaken.get(), Role::writer);
  EXPECT_EQ(role(), Role::reader);
}

// Goal: what was loaded before a change is never remembered after it.
// Method: while others ask without a pause, a role is changed again and again, and whoever
// changed it must find the new one.
TEST_F(Access, IsNeverOlderThanTheLastChange) {
  constexpr int kChanges = 30;
  make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  std::vector<std::jthread> askers;
  for (int i = 0; i < 2; ++i) {
    askers.emplace_back([&](std::stop_token stop) {
      while (!stop.stop_requested()) server.access.standing(anna, ns_name("lhcb"));
    });
  }
  for (int i = 0; i < kChanges; ++i) {
    const Role role = i % 2 == 0 ? Role::writer : Role::reader;
    grant("lhcb", "anna", role);
    ASSERT_EQ(server.access.standing(anna, ns_name("lhcb")).role, role) << "change " << i;
  }
}

class Feed : public Access {
 protected:
  void record(const std::string& topic) {
    database.transact("a test",
                      [&](schema::Transaction& tx) { schema::record_change(tx, topic); });
  }
};

// What a feed told, in order.
class Hearer {
 public:
  explicit Hearer(ChangeFeed& feed) {
    feed.listen([this](std::string_view topic) {
      const std::lock_guard lock(mutex_);
      heard_.emplace_back(topic);
    });
  }
  std::vector<std::string> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  bool waits_for(const std::string& topic) const {
    return eventually([&] { return std::ranges::count(heard(), topic) > 0; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
};

TEST_F(Feed, IsNotFreshBeforeItsFirstReading) {
  ChangeFeed feed(database);
  EXPECT_FALSE(feed.fresh());
  feed.start();
  EXPECT_TRUE(eventually([&] { return feed.fresh(); }));
}

TEST_F(Feed, IsNeverFreshWithoutADatabase) {
  schema::Database absent("host=/nonexistent dbname=none", 1);
  ChangeFeed feed(absent);
  AccessService access(absent, feed, clock);
  feed.start();
  EXPECT_EQ(refusal_of([&] { access.standing(nobody, ns_name("lhcb")); }),
            ErrorCode::unavailable);
  EXPECT_FALSE(feed.fresh());
  EXPECT_FALSE(access.remembered_standing(nobody, ns_name("lhcb")));
}

TEST_F(Feed, BeginsWithAnythingMayHaveChanged) {
  ChangeFeed feed(database);
  const Hearer hearer(feed);
  feed.start();
  EXPECT_TRUE(hearer.waits_for(""));
  record("artifact/1");
  EXPECT_TRUE(hearer.waits_for("artifact/1"));
  EXPECT_THAT(hearer.heard(), ElementsAre("", "artifact/1"));
}

TEST_F(Feed, TellsItsOwnServerAtOnce) {
  ChangeFeed feed(database);
  const Hearer hearer(feed);
  feed.announce("access");
  EXPECT_THAT(hearer.heard(), ElementsAre("access"));
}

TEST_F(Feed, TellsOfLateCommitsAndOfNothingTwice) {
  ChangeFeed feed(database);
  const Hearer hearer(feed);
  feed.start();
  ASSERT_TRUE(hearer.waits_for(""));

  std::promise<void> recorded;
  std::promise<void> commit;
  auto slow = std::async(std::launch::async, [&] {
    database.transact("a test", [&](schema::Transaction& tx) {
      schema::record_change(tx, "late");
      recorded.set_value();
      commit.get_future().wait();
    });
  });
  recorded.get_future().wait();
  record("early");
  EXPECT_TRUE(hearer.waits_for("early"));
  record("later");
  EXPECT_TRUE(hearer.waits_for("later"));
  commit.set_value();
  slow.get();

  EXPECT_TRUE(hearer.waits_for("late"));
  record("last");
  EXPECT_TRUE(hearer.waits_for("last"));
  EXPECT_THAT(hearer.heard(), ElementsAre("", "early", "later", "late", "last"));
}

class Namespaces : public Access {};

TEST_F(Namespaces, AreMadeByAdministrators) {
  const auto made =
      server.namespaces.put(admin, ns_name("lhcb"), {}, always<NamespaceInfo>);
  EXPECT_EQ(made.outcome, Outcome::created);
  EXPECT_EQ(made.item.visibility, Visibility::private_);

  const auto again =
      server.namespaces.put(admin, ns_name("lhcb"),
                            {.description = "LHCb simulation", .visibility = std::nullopt},
                            always<NamespaceInfo>);
  EXPECT_EQ(again.outcome, Outcome::updated);
  EXPECT_EQ(again.item.id, made.item.id);

  const auto kept = server.namespaces.put(
      admin, ns_name("lhcb"),
      {.description = std::nullopt, .visibility = Visibility::internal},
      always<NamespaceInfo>);
  EXPECT_EQ(kept.item.description, "LHCb simulation");
  EXPECT_EQ(kept.item.visibility, Visibility::internal);
}

TEST_F(Namespaces, AreMadeOnceByManyAtOnce) {
  constexpr int kMakers = 8;
  std::vector<std::future<Outcome>> makers;
  for (int i = 0; i < kMakers; ++i) {
    makers.push_back(std::async(std::launch::async, [&] {
      return server.namespaces.put(admin, ns_name("lhcb"), {}, always<NamespaceInfo>)
          .outcome;
    }));
  }
  int created = 0;
  for (auto& maker : makers) created += maker.get() == Outcome::created ? 1 : 0;
  EXPECT_EQ(created, 1);
}

TEST_F(Namespaces, AreEditedByOwnersOnly) {
  make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  const auto edit = [&] {
    return refusal_of(
        [&] { server.namespaces.put(anna, ns_name("lhcb"), {}, always<NamespaceInfo>); });
  };
  EXPECT_EQ(edit(), ErrorCode::permission_denied);
  grant("lhcb", "anna", Role::maintainer);
  EXPECT_EQ(edit(), ErrorCode::permission_denied);
  grant("lhcb", "anna", Role::owner);
  EXPECT_EQ(edit(), std::nullopt);
}

TEST_F(Namespaces, AreNotMadeInAnotherSpelling) {
  make_namespace("LHCb", Visibility::private_);
  EXPECT_THAT(message_of([&] {
                server.namespaces.put(admin, ns_name("lhcb"), {}, always<NamespaceInfo>);
              }),
              ::testing::HasSubstr("LHCb"));
  EXPECT_EQ(refusal_of([&] {
              server.namespaces.put(admin, ns_name("lhcb"), {}, always<NamespaceInfo>);
            }),
            ErrorCode::already_exists);
}

TEST_F(Namespaces, StayAsTheyAreWhereThePreconditionFails) {
  make_namespace("lhcb", Visibility::private_);
  const Precondition<NamespaceInfo> never = [](const NamespaceInfo* current) {
    ASSERT_NE(current, nullptr);
    throw Error(ErrorCode::failed_precondition, "changed meanwhile");
  };
  EXPECT_EQ(refusal_of([&] {
              server.namespaces.put(
                  admin, ns_name("lhcb"),
                  {.description = std::nullopt, .visibility = Visibility::public_}, never);
            }),
            ErrorCode::failed_precondition);
  EXPECT_EQ(server.access.require(admin, ns_name("lhcb"), Role::reader).ns.visibility,
            Visibility::private_);
}

TEST_F(Namespaces, AreListedPageByPage) {
  for (const char* name : {"a", "b", "c", "d", "e"})
    make_namespace(name, Visibility::public_);
  std::vector<std::string> names;
  std::vector<std::size_t> sizes;
  std::optional<std::string> after;
  do {
    const auto page = server.namespaces.list(nobody, {2, after});
    for (const auto& ns : page.items) names.push_back(ns.name);
    sizes.push_back(page.items.size());
    after = page.next;
  } while (after);
  EXPECT_THAT(names, ElementsAre("e", "d", "c", "b", "a"));
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_EQ(refusal_of([&] {
              server.namespaces.list(nobody, {2, "x"});
            }),
            ErrorCode::invalid_argument);
}

TEST_F(Namespaces, AreListedForThoseWhoMayReadThem) {
  make_namespace("private", Visibility::private_);
  make_namespace("internal", Visibility::internal);
  make_namespace("public", Visibility::public_);
  const Caller anna = make_caller("anna");
  const auto seen_by = [&](const Caller& caller) {
    std::vector<std::string> names;
    for (const auto& ns : server.namespaces.list(caller, {100, std::nullopt}).items) {
      names.push_back(ns.name);
    }
    return names;
  };
  EXPECT_THAT(seen_by(nobody), UnorderedElementsAre("public"));
  EXPECT_THAT(seen_by(anna), UnorderedElementsAre("public", "internal"));
  grant("private", "anna", Role::reader);
  EXPECT_THAT(seen_by(anna), UnorderedElementsAre("public", "internal", "private"));
  EXPECT_THAT(seen_by(admin), UnorderedElementsAre("public", "internal", "private"));

  Caller blind = anna;
  blind.scopes = scopes_of({Scope::kpi});
  EXPECT_THAT(seen_by(blind), UnorderedElementsAre("public"));
}

TEST_F(Namespaces, KeepTheirLastOwner) {
  const NamespaceInfo ns = make_namespace("lhcb", Visibility::private_);
  const Caller anna = make_caller("anna");
  make_principal("bert");
  grant("lhcb", "anna", Role::owner);
  const auto leave = [&](const Caller& caller) {
    return refusal_of([&] {
      server.namespaces.remove_member(caller, ns, principal_name("anna"), always<Member>);
    });
  };
  const auto step_down = [&] {
    return refusal_of([&] {
      server.namespaces.put_member(anna, ns, principal_name("anna"), Role::writer,
                                   always<Member>);
    });
  };
  EXPECT_EQ(leave(anna), ErrorCode::already_exists);
  EXPECT_EQ(step_down(), ErrorCode::already_exists);

  grant("lhcb", "bert", Role::owner);
  EXPECT_EQ(step_down(), std::nullopt);
  server.namespaces.remove_member(admin, ns, principal_name("bert"), always<Member>);
  const auto members = server.namespaces.list_members(ns, {100, std::nullopt}).items;
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].principal, "anna");
  EXPECT_EQ(members[0].role, Role::writer);
}

TEST_F(Namespaces, TakeOnlyPrincipalsThatExist) {
  const NamespaceInfo ns = make_namespace("lhcb", Visibility::private_);
  EXPECT_EQ(refusal_of([&] {
              server.namespaces.put_member(admin, ns, principal_name("ghost"), Role::reader,
                                           always<Member>);
            }),
            ErrorCode::not_found);
  EXPECT_EQ(refusal_of([&] {
              server.namespaces.remove_member(admin, ns, principal_name("ghost"),
                                              always<Member>);
            }),
            ErrorCode::not_found);
}

class Principals : public Access {};

TEST_F(Principals, AreSeenByAdministratorsAndThemselves) {
  const Caller anna = make_caller("anna");
  make_principal("bert");
  const auto get = [&](const Caller& caller, const char* name) {
    return message_of([&] { server.principals.get(caller, principal_name(name)); });
  };
  EXPECT_EQ(get(anna, "ANNA"), "");
  EXPECT_EQ(get(admin, "bert"), "");
  EXPECT_EQ(get(anna, "bert"), "no principal named bert");
  EXPECT_EQ(get(anna, "ghost"), "no principal named ghost");
}

TEST_F(Principals, BecomeAdministratorsAtOnce) {
  make_namespace("lhcb", Visibility::private_);
  make_principal("anna");
  const std::string secret = issue("anna", everything()).secret;
  EXPECT_EQ(refusal(server.access.authenticate(secret), "lhcb", Role::owner),
            ErrorCode::not_found);
  server.principals.put(
      admin, principal_name("anna"),
      {.kind = PrincipalKind::person, .display_name = "Anna", .is_admin = true},
      always<Principal>);
  EXPECT_EQ(refusal(server.access.authenticate(secret), "lhcb", Role::owner), std::nullopt);
  EXPECT_THAT(server.principals.roles(server.access.authenticate(secret)),
              ElementsAre(Pair("lhcb", Role::owner)));
}

class Tokens : public Access {};

TEST_F(Tokens, HaveDefaults) {
  make_principal("anna");
  const auto issued = issue("anna", {});
  EXPECT_TRUE(is_secret(issued.secret));
  EXPECT_EQ(issued.token.principal, "anna");
  EXPECT_EQ(issued.token.scopes, scopes_of({Scope::read, Scope::write}));
  EXPECT_EQ(issued.token.ns, std::nullopt);
  EXPECT_EQ(issued.token.expires_at, clock.now() + std::chrono::days(90));
}

TEST_F(Tokens, LastFromADayToTenYears) {
  for (const std::int64_t days : {-1, 0, 3651}) {
    TokenRequest request;
    request.expires_in_days = days;
    EXPECT_EQ(refusal_of([&] { server.tokens.issue(admin, request); }),
              ErrorCode::invalid_argument)
        << days;
  }
  TokenRequest longest;
  longest.expires_in_days = 3650;
  EXPECT_EQ(server.tokens.issue(admin, longest).token.expires_at,
            clock.now() + std::chrono::days(3650));
}

TEST_F(Tokens, AreMadeForOthersByAdministratorsOnly) {
  const Caller anna = make_caller("anna");
  TokenRequest request;
  request.principal = principal_name("admin");
  EXPECT_EQ(refusal_of([&] { server.tokens.issue(anna, request); }),
            ErrorCode::permission_denied);
  request.principal = principal_name("ghost");
  EXPECT_EQ(refusal_of([&] { server.tokens.issue(anna, request); }),
            ErrorCode::permission_denied);
  EXPECT_EQ(refusal_of([&] { server.tokens.issue(admin, request); }), ErrorCode::not_found);
  request.principal = principal_name("Anna");
  EXPECT_EQ(server.tokens.issue(anna, request).token.principal, "anna");
}

TEST_F(Tokens, CanDoNoMoreThanTheOneTheyAreMadeWith) {
  make_namespace("lhcb", Visibility::private_);
  make_namespace("atlas", Visibility::private_);
  make_namespace("public", Visibility::public_);
  make_principal("anna");
  grant("lhcb", "anna", Role::owner);
  grant("atlas", "anna", Role::owner);
  TokenRequest weak;
  weak.scopes = scopes_of({Scope::read});
  weak.ns = ns_name("lhcb");
  weak.expires_in_days = 7;
  const Caller caller = server.access.authenticate(issue("anna", weak).secret);

  const auto token = server.tokens.issue(caller, {}).token;
  EXPECT_EQ(token.scopes, scopes_of({Scope::read}));
  EXPECT_EQ(token.ns, "lhcb");
  EXPECT_EQ(token.expires_at, clock.now() + std::chrono::days(7));

  TokenRequest stronger;
  stronger.scopes = scopes_of({Scope::read, Scope::write});
  EXPECT_EQ(refusal_of([&] { server.tokens.issue(caller, stronger); }),
            ErrorCode::permission_denied);
  TokenRequest elsewhere;
  elsewhere.ns = ns_name("atlas");
  EXPECT_EQ(refusal_of([&] { server.tokens.issue(caller, elsewhere); }),
            ErrorCode::not_found);
  elsewhere.ns = ns_name("public");
  EXPECT_EQ(refusal_of([&] { server.tokens.issue(caller, elsewhere); }),
            ErrorCode::permission_denied);
}

TEST_F(Tokens, AreListedAndRevokedByTheirOwners) {
  const Caller anna = make_caller("anna");
  const Caller bert = make_caller("bert");
  const auto token = issue("anna", {}).token;
  const auto ids_seen_by = [&](const Caller& caller, const char* principal) {
    std::vector<std::string> ids;
    for (const auto& seen :
         server.tokens.list(caller, principal_name(principal), {100, std::nullopt}).items) {
      ids.push_back(seen.id);
    }
    return ids;
  };
  EXPECT_THAT(ids_seen_by(anna, "anna"), ::testing::Contains(token.id));
  EXPECT_EQ(server.tokens.list(bert, std::nullopt, {100, std::nullopt}).items.size(), 1u);
  EXPECT_EQ(server.tokens.list(admin, std::nullopt, {100, std::nullopt}).items.size(), 4u);
  EXPECT_EQ(refusal_of([&] { ids_seen_by(bert, "anna"); }), ErrorCode::not_found);
  EXPECT_EQ(refusal_of([&] { ids_seen_by(bert, "ghost"); }), ErrorCode::not_found);

  EXPECT_EQ(refusal_of([&] { server.tokens.revoke(bert, token.id); }),
            ErrorCode::not_found);
  EXPECT_EQ(refusal_of([&] { server.tokens.revoke(anna, "'; drop"); }),
            ErrorCode::not_found);
  server.tokens.revoke(anna, token.id);
  server.tokens.revoke(anna, token.id);
  EXPECT_EQ(server.tokens.get(anna, token.id).revoked_at, clock.now());
  EXPECT_THAT(ids_seen_by(anna, "anna"), ::testing::Not(::testing::Contains(token.id)));
}

TEST_F(Tokens, OfTheFirstStartCanBeEstablishedAgain) {
  using Others = TokenService::OtherBootstrapTokens;
  const std::string secret = make_secret();
  server.tokens.establish_bootstrap_token(secret, Others::keep);
  server.tokens.establish_bootstrap_token(secret, Others::keep);
  const Caller caller = server.access.authenticate(secret);
  EXPECT_EQ(caller.name, "admin");
  EXPECT_TRUE(caller.administers_server());
  EXPECT_EQ(caller.scopes, Scopes::all());
  EXPECT_EQ(caller.expires_at, std::nullopt);

  const std::string newer = make_secret();
  server.tokens.establish_bootstrap_token(newer, Others::revoke);
  EXPECT_TRUE(server.access.authenticate(newer).administers_server());
  EXPECT_EQ(refusal_of([&] { server.access.authenticate(secret); }),
            ErrorCode::unauthenticated);

  server.tokens.establish_bootstrap_token(secret, Others::keep);
  EXPECT_EQ(refusal_of([&] { server.access.authenticate(secret); }),
            ErrorCode::unauthenticated)
      << "a revoked token came back";
  EXPECT_EQ(refusal_of([&] { server.tokens.establish_bootstrap_token("x", Others::keep); }),
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace mendel::registry
