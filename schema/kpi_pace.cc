#include "schema/kpi_pace.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kRecordKpiPace{"record_kpi_pace", R"sql(
  insert into kpi_pace as known (kpi_id, is_behind, changed_at)
  select $1::bigint, $2::boolean, $3::timestamptz
   where $2::boolean or exists (select from kpi_pace where kpi_id = $1::bigint)
  on conflict (kpi_id) do update
     set is_behind = excluded.is_behind, changed_at = excluded.changed_at
   where known.is_behind <> excluded.is_behind
)sql"};

}  // namespace

bool record_kpi_pace(Transaction& tx, std::int64_t kpi_id, bool is_behind, Timestamp now) {
  return tx.exec_counting(kRecordKpiPace, kpi_id, is_behind, now) > 0;
}

}  // namespace mendel::schema
