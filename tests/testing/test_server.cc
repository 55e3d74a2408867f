// mendel_test_server DIR: one private PostgreSQL for all test programs of a build. Ends a
// while after its last user has.

#include "tests/testing/test_server.h"

#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <pqxx/pqxx>
#include <thread>

#include "schema/private_server.h"
#include "storage/base/fd.h"

namespace mendel::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kIdleMax = 20s;
constexpr auto kLookPause = 500ms;

// Tests need no database that survives a power cut.
void configure(const std::string& url) {
  pqxx::connection connection(url);
  pqxx::nontransaction session(connection);
  for (const char* setting : {"fsync = off", "full_page_writes = off",
                              "synchronous_commit = off", "autovacuum_naptime = 600"}) {
    session.exec(std::string("alter system set ") + setting);
  }
  session.exec("select pg_reload_conf()");
}

void publish(const fs::path& directory, const std::string& url) {
  const fs::path unfinished = directory / "url.tmp";
  std::ofstream(unfinished) << url << "\n";
  fs::rename(unfinished, directory / kUrlFile);
}

// Returns holding users, so that whoever comes now waits until we are gone.
void wait_until_unused(const Fd& users) {
  auto last_use = std::chrono::steady_clock::now();
  for (;;) {
    std::this_thread::sleep_for(kLookPause);
    const auto now = std::chrono::steady_clock::now();
    if (flock(users.get(), LOCK_EX | LOCK_NB) != 0) {
      last_use = now;
    } else if (now - last_use > kIdleMax) {
      return;
    } else {
      flock(users.get(), LOCK_UN);
    }
  }
}

void serve(const fs::path& directory) {
  const Fd keeper = open_file(directory / kKeeperFile, O_RDWR | O_CREAT, 0600);
  if (flock(keeper.get(), LOCK_EX) != 0) return;
  const Fd users = open_file(directory / kUsersFile, O_RDWR | O_CREAT, 0600);
  fs::remove(directory / kUrlFile);

  const char* user = std::getenv("MENDEL_POSTGRES_USER");
  {
    schema::PrivateServer server(directory / "data", user == nullptr ? "postgres" : user);
    configure(server.url());
    publish(directory, server.url());
    wait_until_unused(users);
    fs::remove(directory / kUrlFile);
  }
  fs::remove_all(directory / "data");
}

}  // namespace
}  // namespace mendel::testing

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    mendel::testing::serve(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
