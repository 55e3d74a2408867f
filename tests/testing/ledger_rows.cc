#include "tests/testing/ledger_rows.h"

#include <utility>

#include "schema/composer.h"
#include "schema/transaction.h"
#include "storage/base/digest.h"

namespace mendel::testing {

namespace {

using schema::Statement;
using schema::Transaction;

constexpr Statement kInsertBatch{"test_insert_batch", R"sql(
  insert into kpi_batch (id, entry_count, digest, received_at, principal_id)
  values (nextval('kpi_batch_id'), $1, $2, $3, 1)
  returning id
)sql"};

constexpr Statement kInsertEntry{"test_insert_entry", R"sql(
  insert into kpi_entry (batch_id, position, kpi_id, namespace_id, event_id, occurred_at,
                         version_id, value, amount, weight, corrects, subject, evidence,
                         cpu_seconds, hash)
  values ($1, $2, $3, $4, $5, $6, nullif($7::bigint, 0), $8, $9, $10, $11, $12, $13,
          nullif($14::bigint, 0), $15)
)sql"};

constexpr Statement kInsertCounting{"test_insert_counting", R"sql(
  insert into kpi_counting (kpi_id, rule) values ($1, $2) returning id
)sql"};

}  // namespace

void insert_ledger_batch(schema::Database& database, const std::vector<LedgerRow>& rows,
                         Timestamp received_at) {
  database.transact("add a batch", [&](Transaction& tx) {
    const auto batch = schema::at<std::int64_t>(
        tx.exec_one(kInsertBatch, rows.size(), Digest::of("a batch"), received_at), "id");
    int position = 0;
    for (const LedgerRow& row : rows) {
      tx.exec(kInsertEntry, batch, position++, row.kpi_id, row.namespace_id, row.event_id,
              row.occurred_at, row.version_id, row.value, row.amount, row.weight,
              row.corrects, row.subject, row.evidence, row.cpu_seconds,
              Digest::of(row.event_id));
    }
  });
}

std::int64_t insert_counting(schema::Database& database, std::int64_t kpi_id,
                             const std::string& rule) {
  return database.transact("make a counting", [&](Transaction& tx) {
    return schema::at<std::int64_t>(tx.exec_one(kInsertCounting, kpi_id, rule), "id");
  });
}

void run_sql(schema::Database& database, const std::string& sql) {
  database.transact("run SQL", [&](Transaction& tx) { tx.exec_script(sql); });
}

std::int64_t ask_number(schema::Database& database, const std::string& sql) {
  return database.read("ask for a number", [&](Transaction& tx) {
    return tx.exec(schema::ComposedStatement{.sql = sql, .parameters = {}})[0][0]
        .as<std::int64_t>();
  });
}

}  // namespace mendel::testing
