#pragma once

#include <span>
#include <string_view>

#include "schema/database.h"

namespace mendel::schema {

// One file of schema/migrations: "0002_content.sql" is number 2, name "content".
struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

// The files that were compiled in, by number.
std::span<const Migration> embedded_migrations();

// Brings the database to the last of these migrations, each in its own transaction. Several
// servers may do so at once: they take turns. Changes nothing and throws
// failed_precondition where the database has seen other migrations than these: a file that
// was edited after it was applied, or a newer Mendel.
void migrate(Database& database, std::span<const Migration> migrations);

}  // namespace mendel::schema
