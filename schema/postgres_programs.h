#pragma once

#include <filesystem>

namespace mendel::schema {

// Where one installed PostgreSQL keeps its server programs.
struct PostgresPrograms {
  int major;
  std::filesystem::path directory;

  std::string path_of(const char* program) const { return directory / program; }
};

// The newest one installed, from 15 on: for a new cluster. Throws failed_precondition, with
// what to install, where there is none.
PostgresPrograms newest_postgres();

// The one that a cluster of this major version needs, and no other can run.
PostgresPrograms postgres_of_major(int major);

}  // namespace mendel::schema
