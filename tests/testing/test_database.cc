#include "tests/testing/test_database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <pqxx/pqxx>
#include <stdexcept>

#include "schema/migrator.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/fd.h"
#include "storage/base/sha256.h"
#include "tests/testing/test_server.h"
#include "tests/testing/wait.h"

namespace mendel::testing {

namespace {

constexpr std::size_t kConnectionsMax = 8;
constexpr const char* kLockTemplate = "select pg_advisory_lock(7381)";

void start_detached(const char* program, const std::string& directory) {
  const pid_t pid = fork();
  if (pid != 0) return;
  setsid();
  const int log = open((directory + "/log").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    dup2(log, standard);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execl(program, program, directory.c_str(), nullptr);
  _exit(127);
}

std::string read_url(const std::string& directory) {
  std::ifstream file(directory + "/" + kUrlFile);
  std::string url;
  std::getline(file, url);
  return url;
}

// A use of the shared server; held by the process to its end.
class SharedServer {
 public:
  SharedServer() : directory_(test_server_directory(MENDEL_TEST_SERVER)) {
    mkdir(directory_.c_str(), 0700);
    users_ = open_file(directory_ + "/" + kUsersFile, O_RDWR | O_CREAT, 0600);
    if (flock(users_.get(), LOCK_SH) != 0) throw std::runtime_error("flock users");

    const Fd starting = open_file(directory_ + "/starting", O_RDWR | O_CREAT, 0600);
    if (flock(starting.get(), LOCK_EX) != 0) throw std::runtime_error("flock starting");
    if (!is_running()) start_detached(MENDEL_TEST_SERVER, directory_);
    if (!eventually([this] { return is_running() && !read_url(directory_).empty(); })) {
      throw std::runtime_error("no test server, see " + directory_ + "/log");
    }
  }

  std::string url() const { return read_url(directory_); }

 private:
  bool is_running() const {
    const Fd keeper = open_file(directory_ + "/" + kKeeperFile, O_RDWR | O_CREAT, 0600);
    return flock(keeper.get(), LOCK_SH | LOCK_NB) != 0;
  }

  const std::string directory_;
  Fd users_;
};

const std::string& server_url() {
  static const std::string url = [] {
    const char* given = std::getenv("MENDEL_TEST_DATABASE");
    if (given != nullptr) return std::string(given);
    static const SharedServer server;
    return server.url();
  }();
  return url;
}

// libpq lets the last mention of a parameter win, in both forms.
std::string url_of(const std::string& database) {
  const std::string& server = server_url();
  if (server.find("://") == std::string::npos) return server + " dbname=" + database;
  return server + (server.find('?') == std::string::npos ? "?" : "&") +
         "dbname=" + database;
}

// What cannot be done inside a transaction.
void administer(const std::string& sql) {
  pqxx::connection connection(server_url());
  pqxx::nontransaction(connection).exec(sql);
}

std::string unique_name() {
  static std::atomic<int> count = 0;
  const auto now = SystemClock().now().time_since_epoch().count();
  return "mendel_test_" + std::to_string(getpid()) + "_" + std::to_string(++count) + "_" +
         std::to_string(now);
}

std::string template_name() {
  Sha256 hash;
  for (const auto& migration : schema::embedded_migrations()) {
    hash.update(Digest::of(migration.sql).bytes());
  }
  return "mendel_template_" + hash.finish().hex().substr(0, 16);
}

// Under its final name only when it is whole, so that a killed test leaves no half of one.
void make_template(pqxx::nontransaction& session, const std::string& name) {
  const std::string unfinished = unique_name();
  session.exec("create database " + unfinished);
  {
    schema::Database database(url_of(unfinished), 1);
    schema::migrate(database, schema::embedded_migrations());
  }
  session.exec("alter database " + unfinished + " rename to " + name);
}

const std::string& migrated_template() {
  static const std::string name = [] {
    const std::string wanted = template_name();
    pqxx::connection connection(server_url());
    pqxx::nontransaction session(connection);
    session.exec(kLockTemplate);
    const auto found =
        session.exec_params("select 1 from pg_database where datname = $1", wanted);
    if (found.empty()) make_template(session, wanted);
    return wanted;
  }();
  return name;
}

}  // namespace

TestDatabase::TestDatabase() : TestDatabase(migrated_template()) {}

TestDatabase TestDatabase::without_tables() { return TestDatabase("template1"); }

TestDatabase::TestDatabase(const std::string& template_name)
    : name_(unique_name()), url_(url_of(name_)) {
  administer("create database " + name_ + " template " + template_name);
  database_ = std::make_unique<schema::Database>(url_, kConnectionsMax);
}

TestDatabase::~TestDatabase() {
  database_.reset();
  administer("drop database if exists " + name_ + " with (force)");
}

}  // namespace mendel::testing
