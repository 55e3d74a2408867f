#include "schema/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "schema/transaction.h"
#include "storage/base/error.h"
#include "tests/testing/test_database.h"

namespace mendel::schema {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Statement kInsert{"test_insert", "insert into thing (name) values ($1)"};
constexpr Statement kCount{"test_count", "select count(*) from thing"};
constexpr Statement kKillMyself{"test_kill_myself",
                                "select pg_terminate_backend(pg_backend_pid())"};
constexpr Statement kKillOthers{"test_kill_others", R"sql(
  select pg_terminate_backend(pid, 10000)
    from pg_stat_activity
   where datname = current_database() and pid <> pg_backend_pid()
)sql"};
constexpr Statement kCountSessions{"test_count_sessions", R"sql(
  select count(*) from pg_stat_activity where datname = current_database()
)sql"};

constexpr std::string_view kRaiseConflict =
    "do $$ begin raise exception using errcode = 'serialization_failure'; end $$";

// Ends the session that commits, in the middle of the commit.
constexpr std::string_view kDieAtCommit = R"sql(
  create function die() returns trigger language plpgsql as
    $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
  create constraint trigger die_at_commit after insert on thing
    deferrable initially deferred for each row execute function die();
)sql";

template <class Body>
ErrorCode code_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::internal;
}

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    run_script(
        "create table thing (name text, constraint thing_name_is_unique unique (name))");
  }

  void run_script(std::string_view sql) {
    database.transact("run a script", [&](Transaction& tx) { tx.exec_script(sql); });
  }
  void insert(const std::string& name) {
    database.transact("insert a thing", [&](Transaction& tx) { tx.exec(kInsert, name); });
  }
  std::int64_t count() {
    return database.read("count things", [](Transaction& tx) {
      return at<std::int64_t>(tx.exec_one(kCount), "count");
    });
  }
  void kill_sessions() {
    Database other(test_database.url(), 1);
    other.transact("end all sessions", [](Transaction& tx) { tx.exec(kKillOthers); });
  }

  testing::TestDatabase test_database = testing::TestDatabase::without_tables();
  Database& database = test_database.database();
};

TEST_F(DatabaseTest, KeepsWhatATransactionDid) {
  insert("a");
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, RollsBackWhenTheBodyThrows) {
  const auto body = [](Transaction& tx) {
    tx.exec(kInsert, "a");
    throw Error(ErrorCode::not_found, "no such version");
  };
  EXPECT_EQ(code_of([&] { database.transact("publish", body); }), ErrorCode::not_found);
  EXPECT_EQ(count(), 0);
}

TEST_F(DatabaseTest, NamesTheViolatedConstraintAndNotTheValue) {
  insert("secret");
  try {
    insert("secret");
    FAIL() << "inserted twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::already_exists);
    EXPECT_THAT(error.what(), HasSubstr("insert a thing"));
    EXPECT_THAT(error.what(), HasSubstr("thing_name_is_unique"));
    EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
  }
}

TEST_F(DatabaseTest, RefusesToCommitAfterASwallowedError) {
  insert("a");
  const auto body = [](Transaction& tx) { EXPECT_ANY_THROW(tx.exec(kInsert, "a")); };
  EXPECT_EQ(code_of([&] { database.transact("swallow", body); }), ErrorCode::internal);
}

TEST_F(DatabaseTest, SaysWhenAStatementTookTooLong) {
  EXPECT_EQ(code_of([&] {
              run_script("set local statement_timeout = '20ms'; select pg_sleep(60)");
            }),
            ErrorCode::deadline_exceeded);
}

TEST_F(DatabaseTest, ReadsOneSnapshotAndWritesNothing) {
  database.read("count twice", [&](Transaction& tx) {
    const auto before = at<std::int64_t>(tx.exec_one(kCount), "count");
    insert("a");
    EXPECT_EQ(at<std::int64_t>(tx.exec_one(kCount), "count"), before);
  });
  EXPECT_ANY_THROW(database.read("write", [](Transaction& tx) { tx.exec(kInsert, "b"); }));
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, RepeatsATransactionAfterAConflict) {
  int attempts = 0;
  database.transact("conflict twice", [&](Transaction& tx) {
    tx.exec(kInsert, "a");
    if (++attempts <= 2) tx.exec_script(kRaiseConflict);
  });
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, GivesUpWhenConflictsDoNotEnd) {
  EXPECT_EQ(code_of([&] { run_script(kRaiseConflict); }), ErrorCode::aborted);
}

TEST_F(DatabaseTest, ReplacesConnectionsThatBrokeInThePool) {
  insert("a");
  kill_sessions();
  insert("b");
  kill_sessions();
  EXPECT_EQ(count(), 2);
}

TEST_F(DatabaseTest, NeverRepeatsATransactionThatHadBegun) {
  int attempts = 0;
  const auto body = [&](Transaction& tx) {
    ++attempts;
    tx.exec(kKillMyself);
  };
  EXPECT_EQ(code_of([&] { database.transact("die", body); }), ErrorCode::unavailable);
  EXPECT_EQ(attempts, 1);
}

TEST_F(DatabaseTest, RepeatsAReadOnceOnANewConnection) {
  int attempts = 0;
  database.read("die once", [&](Transaction& tx) {
    if (++attempts == 1) tx.exec(kKillMyself);
    tx.exec(kCount);
  });
  EXPECT_EQ(attempts, 2);
}

TEST_F(DatabaseTest, NeverRepeatsACommitOfUnknownOutcome) {
  run_script(kDieAtCommit);
  int attempts = 0;
  const auto body = [&](Transaction& tx) {
    ++attempts;
    tx.exec(kInsert, "a");
  };
  EXPECT_EQ(code_of([&] { database.transact("commit", body); }), ErrorCode::unavailable);
  EXPECT_EQ(attempts, 1);
}

TEST_F(DatabaseTest, OpensNoMoreConnectionsThanItMay) {
  constexpr std::size_t kConnectionsMax = 2;
  Database small(test_database.url(), kConnectionsMax);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&small, i] {
      small.transact("insert", [&](Transaction& tx) { tx.exec(kInsert, i); });
    });
  }
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(count(), 8);
  const auto sessions = database.read("count sessions", [](Transaction& tx) {
    return at<std::int64_t>(tx.exec_one(kCountSessions), "count");
  });
  EXPECT_LE(sessions, std::int64_t{kConnectionsMax} + 1);
}

TEST(DatabaseWithoutServer, IsUnavailable) {
  Database database("host=/nonexistent dbname=mendel", 1);
  EXPECT_EQ(
      code_of([&] { database.read("read", [](Transaction& tx) { tx.exec(kCount); }); }),
      ErrorCode::unavailable);
}

}  // namespace
}  // namespace mendel::schema
