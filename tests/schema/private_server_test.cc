#include "schema/private_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include "schema/database.h"
#include "schema/transaction.h"
#include "storage/base/error.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/wait.h"

namespace mendel::schema {
namespace {

using mendel::testing::eventually;
using ::testing::HasSubstr;

constexpr std::size_t kConnectionsMax = 2;
constexpr const char* kUser = "postgres";

constexpr Statement kCreateNotes{"create_notes", "create table note (text text)"};
constexpr Statement kInsertNote{"insert_note", "insert into note (text) values ($1)"};
constexpr Statement kCountNotes{"count_notes", "select count(*) from note"};
constexpr Statement kShow{"show", "select current_setting($1) as value"};

void create_notes(Database& database) {
  database.transact("create notes", [](Transaction& tx) { tx.exec(kCreateNotes); });
}

void insert_note(Database& database) {
  database.transact("take a note", [](Transaction& tx) { tx.exec(kInsertNote, "x"); });
}

std::int64_t count_notes(Database& database) {
  return database.read("count notes", [](Transaction& tx) {
    return at<std::int64_t>(tx.exec_one(kCountNotes), "count");
  });
}

std::string setting(Database& database, const char* name) {
  return database.read("look at a setting", [&](Transaction& tx) {
    return at<std::string>(tx.exec_one(kShow, name), "value");
  });
}

bool answers(Database& database) {
  try {
    count_notes(database);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable) << error.what();
    return false;
  }
}

pid_t postmaster_of(const std::filesystem::path& directory) {
  std::ifstream file(directory / "postgres" / "postmaster.pid");
  pid_t pid = 0;
  file >> pid;
  return pid;
}

// A process like mendeld: it runs a private server and takes a note, says so, and waits to
// be killed.
class OtherProcess {
 public:
  explicit OtherProcess(const std::string& directory) {
    std::array<int, 2> ready{};
    if (pipe(ready.data()) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) serve(directory, ready[1]);
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
  }
  ~OtherProcess() { end(); }

  void end() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  [[noreturn]] static void serve(const std::string& directory, int ready) {
    PrivateServer server(directory, kUser);
    Database database(server.url(), kConnectionsMax);
    create_notes(database);
    insert_note(database);
    if (write(ready, "!", 1) != 1) _exit(1);
    for (;;) pause();
  }

  pid_t pid_ = 0;
};

class PrivateServerTest : public ::testing::Test {
 protected:
  mendel::testing::TemporaryDirectory directory;
};

TEST_F(PrivateServerTest, KeepsWhatWasCommittedFromOneStartToTheNext) {
  {
    PrivateServer server(directory.path(), kUser);
    Database database(server.url(), kConnectionsMax);
    create_notes(database);
    insert_note(database);
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "postgres/postmaster.pid"));

  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);
  EXPECT_EQ(count_notes(database), 1);
}

TEST_F(PrivateServerTest, IsDurableAndHasNoTcpPort) {
  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);

  EXPECT_EQ(setting(database, "listen_addresses"), "");
  EXPECT_EQ(setting(database, "fsync"), "on");
  EXPECT_EQ(setting(database, "synchronous_commit"), "on");
  EXPECT_EQ(setting(database, "data_checksums"), "on");
  EXPECT_EQ(setting(database, "server_encoding"), "UTF8");
  const auto mode = std::filesystem::status(directory / "run").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_all);
}

TEST_F(PrivateServerTest, ComesBackWhenItsPostmasterIsKilled) {
  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);
  create_notes(database);
  insert_note(database);

  const pid_t killed = postmaster_of(directory.path());
  ASSERT_EQ(kill(killed, SIGKILL), 0);

  ASSERT_TRUE(eventually([&] { return postmaster_of(directory.path()) != killed; }));
  ASSERT_TRUE(eventually([&] { return answers(database); }));
  EXPECT_EQ(count_notes(database), 1);
}

TEST_F(PrivateServerTest, RecoversWhenEverythingWasKilled) {
  OtherProcess other(directory.path());
  kill(postmaster_of(directory.path()), SIGKILL);
  other.end();

  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);
  EXPECT_EQ(count_notes(database), 1);
}

TEST_F(PrivateServerTest, StartsOverLockFilesThatAKillLeftEmpty) {
  { PrivateServer server(directory.path(), kUser); }
  std::ofstream(directory / "postgres/postmaster.pid");
  std::ofstream(directory / "run/.s.PGSQL.5432.lock");

  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);
  create_notes(database);
  EXPECT_EQ(count_notes(database), 0);
}

TEST_F(PrivateServerTest, TakesOverFromAProcessThatWasKilledAlone) {
  OtherProcess other(directory.path());
  other.end();

  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);
  EXPECT_EQ(count_notes(database), 1);
}

TEST_F(PrivateServerTest, EndsWithTheProcessThatStartedIt) {
  OtherProcess other(directory.path());
  const pid_t postmaster = postmaster_of(directory.path());
  other.end();

  EXPECT_TRUE(eventually([&] { return kill(postmaster, 0) != 0; }));
}

TEST_F(PrivateServerTest, RefusesADirectoryThatAnotherServerUses) {
  PrivateServer server(directory.path(), kUser);
  try {
    PrivateServer second(directory.path(), kUser);
    FAIL() << "two servers in one directory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed_precondition);
    EXPECT_THAT(error.what(), HasSubstr("another mendeld"));
  }
}

TEST_F(PrivateServerTest, StartsOverAfterAnInterruptedFirstStart) {
  std::filesystem::create_directories(directory / "postgres.tmp/base");
  std::ofstream(directory / "postgres.tmp/PG_VERSION") << "15\n";

  PrivateServer server(directory.path(), kUser);
  Database database(server.url(), kConnectionsMax);
  create_notes(database);
  EXPECT_EQ(count_notes(database), 0);
}

TEST_F(PrivateServerTest, WorksWherePathsAreLongAndClosedToItsUser) {
  std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
  const std::string deep = directory / (std::string(120, 'd') + "/it's, \\here");

  PrivateServer server(deep, kUser);
  Database database(server.url(), kConnectionsMax);
  create_notes(database);
  EXPECT_EQ(count_notes(database), 0);
}

TEST_F(PrivateServerTest, SaysWhatToDoWhenItsPostgresqlIsGone) {
  { PrivateServer server(directory.path(), kUser); }
  std::ofstream(directory / "postgres/PG_VERSION") << "14\n";
  try {
    PrivateServer server(directory.path(), kUser);
    FAIL() << "started with another major version";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed_precondition);
    EXPECT_THAT(error.what(), HasSubstr("postgresql-14"));
  }
}

TEST_F(PrivateServerTest, SaysWhatItDiedOfWhenItCannotStart) {
  { PrivateServer server(directory.path(), kUser); }
  std::ofstream(directory / "postgres/postgresql.auto.conf")
      << "max_connections = 'many'\n";
  try {
    PrivateServer server(directory.path(), kUser);
    FAIL() << "started with a damaged configuration";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("postgresql.auto.conf"));
  }
}

TEST_F(PrivateServerTest, StopsOnceAndForAll) {
  PrivateServer server(directory.path(), kUser);
  server.stop();
  EXPECT_FALSE(std::filesystem::exists(directory / "postgres/postmaster.pid"));
  server.stop();
}

}  // namespace
}  // namespace mendel::schema
