#include "schema/migrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <vector>

#include "schema/transaction.h"
#include "storage/base/error.h"
#include "tests/testing/test_database.h"

namespace mendel::schema {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Migration kFirst{1, "first", "create table first (id bigint);"};
constexpr Migration kSecond{2, "second", "create table second (id bigint);"};
constexpr Migration kBroken{2, "broken", "create table half (id bigint); select nonsense;"};

constexpr Statement kListTables{"test_list_tables", R"sql(
  select table_name from information_schema.tables
   where table_schema = 'public' and table_name <> 'schema_migration'
   order by table_name
)sql"};

class MigratorTest : public ::testing::Test {
 protected:
  std::vector<std::string> tables() {
    return database.read("list tables", [](Transaction& tx) {
      std::vector<std::string> names;
      for (const Row& row : tx.exec(kListTables)) {
        names.push_back(at<std::string>(row, "table_name"));
      }
      return names;
    });
  }

  std::string refusal(const std::vector<Migration>& migrations) {
    try {
      migrate(database, migrations);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::failed_precondition) << error.what();
      return error.what();
    }
    return "";
  }

  testing::TestDatabase test_database = testing::TestDatabase::without_tables();
  Database& database = test_database.database();
};

TEST_F(MigratorTest, AppliesWhatIsMissingAndNothingTwice) {
  migrate(database, std::array{kFirst});
  EXPECT_THAT(tables(), ElementsAre("first"));
  migrate(database, std::array{kFirst, kSecond});
  migrate(database, std::array{kFirst, kSecond});
  EXPECT_THAT(tables(), ElementsAre("first", "second"));
}

TEST_F(MigratorTest, LetsManyServersStartAtOnce) {
  constexpr int kServers = 6;
  std::vector<std::future<void>> servers;
  for (int i = 0; i < kServers; ++i) {
    servers.push_back(std::async(std::launch::async, [this] {
      Database own(test_database.url(), 1);
      migrate(own, std::array{kFirst, kSecond});
    }));
  }
  for (auto& server : servers) EXPECT_NO_THROW(server.get());
  EXPECT_THAT(tables(), ElementsAre("first", "second"));
}

TEST_F(MigratorTest, RefusesAMigrationThatWasEditedAfterwards) {
  migrate(database, std::array{kFirst});
  Migration edited = kFirst;
  edited.sql = "create table first (id integer);";
  EXPECT_THAT(refusal({edited, kSecond}), HasSubstr("must never change"));
  EXPECT_THAT(tables(), ElementsAre("first"));
}

TEST_F(MigratorTest, RefusesADatabaseThatANewerServerUpgraded) {
  migrate(database, std::array{kFirst, kSecond});
  EXPECT_THAT(refusal({kFirst}), HasSubstr("newer Mendel"));
}

TEST_F(MigratorTest, LeavesNothingOfAMigrationThatFails) {
  EXPECT_THROW(migrate(database, std::array{kFirst, kBroken}), Error);
  EXPECT_THAT(tables(), ElementsAre("first"));
  migrate(database, std::array{kFirst, kSecond});
  EXPECT_THAT(tables(), ElementsAre("first", "second"));
}

TEST_F(MigratorTest, CanRunWhatIsCompiledIn) {
  migrate(database, embedded_migrations());
  EXPECT_THAT(tables(), Not(IsEmpty()));
}

TEST(EmbeddedMigrations, AreNumberedWithoutGaps) {
  ASSERT_FALSE(embedded_migrations().empty());
  int expected = 0;
  for (const auto& migration : embedded_migrations())
    EXPECT_EQ(migration.number, ++expected);
}

}  // namespace
}  // namespace mendel::schema
