#include "schema/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "schema/changes.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"
#include "tests/testing/test_database.h"

namespace mendel::schema {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class AccessStatements : public ::testing::Test {
 protected:
  template <class Body>
  auto in_transaction(Body body) {
    return database.transact("a test", body);
  }

  NamespaceRow make_namespace(const std::string& name, const std::string& visibility) {
    return in_transaction([&](Transaction& tx) {
      return insert_namespace(tx, name, "", visibility).value();
    });
  }

  PrincipalRow make_principal(const std::string& name) {
    PrincipalRow row;
    row.name = name;
    row.kind = "person";
    return in_transaction(
        [&](Transaction& tx) { return insert_principal(tx, row).value(); });
  }

  std::string make_token(std::int64_t principal, const Digest& secret_hash) {
    NewToken token;
    token.id = make_uuid_v7(Timestamp());
    token.principal_id = principal;
    token.secret_hash = secret_hash;
    token.scopes = 1;
    in_transaction([&](Transaction& tx) { insert_token(tx, token); });
    return token.id;
  }

  std::vector<std::string> names_seen_by(const NamespaceViewer& viewer) {
    return in_transaction([&](Transaction& tx) {
      std::vector<std::string> names;
      for (const auto& row : list_namespaces(tx, viewer, std::nullopt, 100)) {
        names.push_back(row.name);
      }
      return names;
    });
  }

  testing::TestDatabase test_database;
  Database& database = test_database.database();
};

TEST_F(AccessStatements, ANameIsTakenInEverySpelling) {
  make_namespace("LHCb", "private");
  in_transaction([](Transaction& tx) {
    EXPECT_EQ(insert_namespace(tx, "lhcB", "", "private"), std::nullopt);
    EXPECT_EQ(find_namespace(tx, "lhcb").value().name, "LHCb");
    EXPECT_EQ(find_namespace(tx, "LHCb"), std::nullopt) << "looked up unfolded";
  });
}

TEST_F(AccessStatements, TheDatabaseRefusesWhatNoServiceWrites) {
  EXPECT_THROW(make_namespace("lhcb", "secret"), Error);
  EXPECT_THROW(make_namespace("-lhcb", "private"), Error);
  EXPECT_THROW(make_principal("a b"), Error);
  const NamespaceRow ns = make_namespace("lhcb", "private");
  const PrincipalRow anna = make_principal("anna");
  EXPECT_THROW(
      in_transaction([&](Transaction& tx) { upsert_member(tx, ns.id, anna.id, "king"); }),
      Error);
  EXPECT_THROW(
      in_transaction([&](Transaction& tx) { upsert_member(tx, ns.id, 999, "owner"); }),
      Error);
}

TEST_F(AccessStatements, AListShowsWhatItsViewerMaySee) {
  make_namespace("open", "public");
  make_namespace("inner", "internal");
  const NamespaceRow mine = make_namespace("mine", "private");
  const NamespaceRow other = make_namespace("other", "private");
  const PrincipalRow anna = make_principal("anna");
  in_transaction([&](Transaction& tx) { upsert_member(tx, mine.id, anna.id, "reader"); });

  EXPECT_THAT(names_seen_by({}), ElementsAre("open"));
  EXPECT_THAT(
      names_seen_by(
          {.sees_internal = true, .member = anna.id, .only_namespace = std::nullopt}),
      ElementsAre("mine", "inner", "open"));
  EXPECT_THAT(
      names_seen_by({.sees_internal = true, .member = anna.id, .only_namespace = mine.id}),
      ElementsAre("mine", "open"));
  EXPECT_THAT(
      names_seen_by({.sees_internal = true, .member = anna.id, .only_namespace = other.id}),
      ElementsAre("open"));
  EXPECT_THAT(names_seen_by({.sees_all = true,
                             .sees_internal = true,
                             .member = std::nullopt,
                             .only_namespace = std::nullopt}),
              ElementsAre("other", "mine", "inner", "open"));
}

TEST_F(AccessStatements, AMemberHasOneRole) {
  const NamespaceRow ns = make_namespace("lhcb", "private");
  const PrincipalRow anna = make_principal("Anna");
  in_transaction([&](Transaction& tx) {
    upsert_member(tx, ns.id, anna.id, "reader");
    EXPECT_EQ(upsert_member(tx, ns.id, anna.id, "owner").role, "owner");
    EXPECT_EQ(find_member(tx, ns.id, "anna").value().principal, "Anna");
    EXPECT_EQ(list_members(tx, ns.id, std::nullopt, 10).size(), 1u);
    EXPECT_EQ(count_owners(tx, ns.id), 1);
    EXPECT_EQ(find_standing(tx, "lhcb", anna.id).value().role, "owner");
    delete_member(tx, ns.id, anna.id);
    EXPECT_EQ(find_standing(tx, "lhcb", anna.id).value().role, std::nullopt);
    EXPECT_EQ(find_standing(tx, "lhcb", std::nullopt).value().role, std::nullopt);
  });
}

TEST_F(AccessStatements, ARevokedTokenKeepsItsFirstTime) {
  const PrincipalRow anna = make_principal("anna");
  const Digest secret_hash = Digest::of("secret");
  const std::string id = make_token(anna.id, secret_hash);
  const Timestamp first = parse_rfc3339("2024-02-13T00:00:00Z");
  in_transaction([&](Transaction& tx) {
    EXPECT_EQ(find_token_holder(tx, secret_hash).value().revoked_at, std::nullopt);
    EXPECT_EQ(list_tokens(tx, anna.id, std::nullopt, 10).size(), 1u);
    revoke_token(tx, id, first);
    revoke_token(tx, id, first + std::chrono::hours(1));
    EXPECT_EQ(find_token(tx, id).value().revoked_at, first);
    EXPECT_EQ(find_token_holder(tx, secret_hash).value().revoked_at, first);
    EXPECT_TRUE(list_tokens(tx, anna.id, std::nullopt, 10).empty());
  });
}

TEST_F(AccessStatements, ASecretIsStoredOnce) {
  const PrincipalRow anna = make_principal("anna");
  make_token(anna.id, Digest::of("secret"));
  EXPECT_THROW(make_token(anna.id, Digest::of("secret")), Error);
}

class Changes : public AccessStatements {
 protected:
  ChangeReading read(const std::optional<std::string>& snapshot) {
    return database.read("a test",
                         [&](Transaction& tx) { return read_changes(tx, snapshot); });
  }
  void record(const std::string& topic) {
    in_transaction([&](Transaction& tx) { record_change(tx, topic); });
  }
};

TEST_F(Changes, AreReadOnce) {
  record("before");
  const ChangeReading first = read(std::nullopt);
  EXPECT_THAT(first.topics, IsEmpty());

  record("access");
  record("artifact/1");
  record("access");
  const ChangeReading second = read(first.snapshot);
  EXPECT_THAT(second.topics, UnorderedElementsAre("access", "artifact/1"));
  EXPECT_THAT(read(second.snapshot).topics, IsEmpty());
}

TEST_F(Changes, ThatCommitLateAreReadAllTheSame) {
  const ChangeReading first = read(std::nullopt);
  std::promise<void> recorded;
  std::promise<void> commit;
  auto slow = std::async(std::launch::async, [&] {
    in_transaction([&](Transaction& tx) {
      record_change(tx, "late");
      recorded.set_value();
      commit.get_future().wait();
    });
  });
  recorded.get_future().wait();

  record("early");
  const ChangeReading second = read(first.snapshot);
  EXPECT_THAT(second.topics, ElementsAre("early"));
  const ChangeReading third = read(second.snapshot);
  EXPECT_THAT(third.topics, IsEmpty()) << "while the other transaction runs";

  commit.set_value();
  slow.get();
  EXPECT_THAT(read(third.snapshot).topics, ElementsAre("late"));
}

TEST_F(Changes, OfARolledBackTransactionAreNone) {
  const ChangeReading first = read(std::nullopt);
  EXPECT_THROW(in_transaction([](Transaction& tx) {
                 record_change(tx, "never");
                 throw Error(ErrorCode::aborted, "rolled back");
               }),
               Error);
  EXPECT_THAT(read(first.snapshot).topics, IsEmpty());
}

// A snapshot's text is "xmin:xmax:…": the transactions from xmax on had not begun.
std::uint64_t first_not_begun(const ChangeReading& reading) {
  return std::stoull(reading.snapshot.substr(reading.snapshot.find(':') + 1));
}

TEST_F(Changes, ArePrunedOnlyBeforeAReading) {
  const ChangeReading first = read(std::nullopt);
  record("access");
  in_transaction([&](Transaction& tx) { prune_changes(tx, first.oldest); });
  const ChangeReading second = read(first.snapshot);
  EXPECT_THAT(second.topics, ElementsAre("access"));

  // Transactions of other databases of the server hold the oldest one back while they last.
  ChangeReading third = second;
  while (std::stoull(third.oldest) < first_not_begun(second)) third = read(first.snapshot);
  in_transaction([&](Transaction& tx) { prune_changes(tx, third.oldest); });
  EXPECT_THAT(read(first.snapshot).topics, IsEmpty());
}

}  // namespace
}  // namespace mendel::schema
