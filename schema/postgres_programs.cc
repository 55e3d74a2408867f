#include "schema/postgres_programs.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/child_process.h"
#include "storage/base/error.h"

namespace mendel::schema {

namespace {

namespace fs = std::filesystem;

constexpr int kMajorMin = 15;

std::optional<int> leading_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

bool has_programs(const fs::path& directory) {
  return access((directory / "postgres").c_str(), X_OK) == 0 &&
         access((directory / "initdb").c_str(), X_OK) == 0;
}

// Debian: /usr/lib/postgresql/15/bin. PGDG on Red Hat: /usr/pgsql-15/bin.
void add_packaged(std::vector<PostgresPrograms>* found) {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", missing)) {
    const auto major = leading_number(entry.path().filename().string());
    if (major && has_programs(entry.path() / "bin")) {
      found->push_back({*major, entry.path() / "bin"});
    }
  }
  constexpr std::string_view kPrefix = "pgsql-";
  for (const auto& entry : fs::directory_iterator("/usr", missing)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const auto major = leading_number(std::string_view(name).substr(kPrefix.size()));
    if (major && has_programs(entry.path() / "bin")) {
      found->push_back({*major, entry.path() / "bin"});
    }
  }
}

// "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"
std::optional<int> ask_major(const fs::path& directory) {
  constexpr std::string_view kBefore = "(PostgreSQL) ";
  const std::string answer = run({.arguments = {directory / "postgres", "--version"},
                                  .user = std::nullopt,
                                  .inherited_files = {},
                                  .output = std::nullopt,
                                  .input = {},
                                  .signal_when_parent_dies = SIGKILL});
  const auto position = answer.find(kBefore);
  if (position == std::string::npos) return std::nullopt;
  return leading_number(std::string_view(answer).substr(position + kBefore.size()));
}

void add_from_path(std::vector<PostgresPrograms>* found) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const fs::path directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), directory.native().size() + 1));
    if (!directory.is_absolute() || !has_programs(directory)) continue;
    if (const auto major = ask_major(directory)) found->push_back({*major, directory});
  }
}

std::vector<PostgresPrograms> installed() {
  std::vector<PostgresPrograms> found;
  add_packaged(&found);
  add_from_path(&found);
  return found;
}

}  // namespace

PostgresPrograms newest_postgres() {
  const auto found = installed();
  const auto newest = std::ranges::max_element(found, {}, &PostgresPrograms::major);
  if (newest == found.end() || newest->major < kMajorMin) {
    throw Error(ErrorCode::failed_precondition,
                "no PostgreSQL server from version " + std::to_string(kMajorMin) +
                    " on is installed: install the package postgresql, put its programs on "
                    "PATH, or name a database with --database");
  }
  return *newest;
}

PostgresPrograms postgres_of_major(int major) {
  const auto found = installed();
  const auto same = std::ranges::find(found, major, &PostgresPrograms::major);
  if (same == found.end()) {
    const std::string version = std::to_string(major);
    throw Error(ErrorCode::failed_precondition,
                "the data directory belongs to PostgreSQL " + version +
                    ", which is no longer installed: install the package postgresql-" +
                    version + " again, or move the data to a newer one with pg_upgrade");
  }
  return *same;
}

}  // namespace mendel::schema
