#include "schema/version_files.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// "is not true" makes a hash table of the new version's files, and a file that stays meets
// its row in the primary key: both however many files PostgreSQL expects, whose plan may be
// from when there were none.
constexpr Statement kRecordFiles{"record_version_files", R"sql(
  with new (file) as materialized (
    select substring(digest, 1, 16) from unnest($3::bytea[]) digest
  ), ended as (
    update version_file
       set last_number = $2::integer - 1
     where artifact_id = $1 and last_number = 2147483647
       and (file in (select file from new)) is not true
  )
  insert into version_file (artifact_id, file, first_number)
  select $1, file, $2 from new
  on conflict do nothing
)sql"};

}  // namespace

void record_version_files(Transaction& tx, std::int64_t artifact_id, std::int32_t number,
                          const std::vector<Digest>& files) {
  tx.exec(kRecordFiles, artifact_id, number, array_of(files));
}

}  // namespace mendel::schema
