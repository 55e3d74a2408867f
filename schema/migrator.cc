// Table schema_migration(number, name, sha256, applied_at): what was applied, in order. The
// advisory lock is held by each migration's transaction, so that two servers that start at
// once apply the files in turns and nothing twice.

#include "schema/migrator.h"

#include <string>

#include "schema/transaction.h"
#include "storage/base/error.h"

namespace mendel::schema {

namespace {

// A migration may take long, and so may waiting for another server's.
constexpr std::string_view kNoTimeLimit = R"sql(
  set local statement_timeout = 0;
  set local lock_timeout = 0;
)sql";

// The lock's key is "mendel" in ASCII.
constexpr Statement kTakeTurns{"take_turns",
                               "select pg_advisory_xact_lock(120282411197804)"};

constexpr std::string_view kCreateJournal = R"sql(
  create table if not exists schema_migration (
      number     integer     not null,
      name       text        not null,
      sha256     bytea       not null,
      applied_at timestamptz not null default now(),

      constraint schema_migration_pk primary key (number)
  );
)sql";

constexpr Statement kListApplied{"list_applied_migrations", R"sql(
  select number, name, sha256 from schema_migration order by number
)sql"};

constexpr Statement kInsertApplied{"insert_applied_migration", R"sql(
  insert into schema_migration (number, name, sha256) values ($1, $2, $3)
)sql"};

std::string describe(const Migration& migration) {
  return std::to_string(migration.number) + " (" + std::string(migration.name) + ")";
}

void require_same(const Row& applied, const Migration& ours) {
  if (at<std::int32_t>(applied, "number") == ours.number &&
      at<Digest>(applied, "sha256") == Digest::of(ours.sql)) {
    return;
  }
  throw Error(ErrorCode::failed_precondition,
              "migration " + describe(ours) + " is not the one this database has seen (" +
                  std::to_string(at<std::int32_t>(applied, "number")) + ", " +
                  at<std::string>(applied, "name") +
                  "): a migration must never change once it was applied");
}

void require_ours(const Rows& applied, std::span<const Migration> migrations) {
  if (std::size_t(applied.size()) > migrations.size()) {
    throw Error(ErrorCode::failed_precondition,
                "the database is at migration " + std::to_string(applied.size()) +
                    ", this Mendel knows " + std::to_string(migrations.size()) +
                    ": it was upgraded by a newer Mendel, start that one");
  }
  for (std::size_t i = 0; i < std::size_t(applied.size()); ++i) {
    require_same(applied[static_cast<pqxx::result::size_type>(i)], migrations[i]);
  }
}

// Returns whether there was one to apply.
bool apply_next(Transaction& tx, std::span<const Migration> migrations) {
  tx.exec_script(kNoTimeLimit);
  tx.exec(kTakeTurns);
  tx.exec_script(kCreateJournal);
  const Rows applied = tx.exec(kListApplied);
  require_ours(applied, migrations);
  if (std::size_t(applied.size()) == migrations.size()) return false;

  const Migration& next = migrations[std::size_t(applied.size())];
  tx.exec_script(next.sql);
  tx.exec(kInsertApplied, next.number, next.name, Digest::of(next.sql));
  return true;
}

}  // namespace

void migrate(Database& database, std::span<const Migration> migrations) {
  bool applied_one = true;
  while (applied_one) {
    applied_one = database.transact("migrate the database", [&](Transaction& tx) {
      return apply_next(tx, migrations);
    });
  }
}

}  // namespace mendel::schema
