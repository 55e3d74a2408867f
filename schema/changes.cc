#include "schema/changes.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kRecordChange{"record_change", R"sql(
    insert into change (topic) values ($1)
  )sql"};

// One statement, so that the rows and the snapshot that is handed on are of one moment. A
// row is new when its transaction was still running, or not begun, in the snapshot before.
constexpr Statement kReadChanges{"read_changes", R"sql(
    with fresh as (
        select distinct topic
          from change
         where xid >= pg_snapshot_xmin($1::pg_snapshot)
           and not pg_visible_in_snapshot(xid, $1::pg_snapshot)
    )
    select pg_current_snapshot()::text                   as snapshot,
           pg_snapshot_xmin(pg_current_snapshot())::text as oldest,
           pg_postmaster_start_time()::text              as server_start,
           fresh.topic                                   as topic
      from (select) as always left join fresh on true
  )sql"};

constexpr Statement kPruneChanges{"prune_changes", R"sql(
    delete from change where xid < $1::xid8
  )sql"};

}  // namespace

void record_change(Transaction& transaction, std::string_view topic) {
  transaction.exec(kRecordChange, topic);
}

ChangeReading read_changes(Transaction& transaction,
                           const std::optional<std::string>& snapshot) {
  const Rows rows = transaction.exec(kReadChanges, snapshot);
  ChangeReading reading{at<std::string>(rows[0], "snapshot"),
                        at<std::string>(rows[0], "oldest"),
                        at<std::string>(rows[0], "server_start"),
                        {}};
  for (const Row& row : rows) {
    if (auto topic = at<std::optional<std::string>>(row, "topic")) {
      reading.topics.push_back(std::move(*topic));
    }
  }
  return reading;
}

void prune_changes(Transaction& transaction, std::string_view oldest) {
  transaction.exec(kPruneChanges, oldest);
}

}  // namespace mendel::schema
