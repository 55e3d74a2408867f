#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "schema/transaction.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/test_database.h"

namespace mendel::registry {

// One row of the ledger, as a recorder would insert it. What it adds is a whole number, so
// that a test can sum up by itself.
struct LedgerRow {
  std::int64_t kpi_id = 1;
  std::int64_t namespace_id = 1;
  std::string event_id;
  Timestamp occurred_at;
  std::int64_t version_id = 0;
  std::int64_t value = 1;
  std::int64_t amount = 1;
  int weight = 1;
  std::optional<std::string> corrects = std::nullopt;
  std::string subject = "{}";
  std::string evidence = "{}";  // an array's text
  std::int64_t cpu_seconds = 0;
};

// A ledger to which rows are added below the services that check what they are.
class LedgerTest : public ::testing::Test {
 protected:
  // Each in a batch of its own.
  void commit(const std::vector<LedgerRow>& rows) {
    for (const LedgerRow& row : rows) commit_batch({row});
  }

  void commit_batch(const std::vector<LedgerRow>& rows) { commit_batch(rows, clock.now()); }

  void commit_batch(const std::vector<LedgerRow>& rows, Timestamp received_at) {
    database().transact("add a batch", [&](schema::Transaction& tx) {
      static constexpr schema::Statement kInsertBatch{"test_insert_batch", R"sql(
        insert into kpi_batch (id, entry_count, digest, received_at, principal_id)
        values (nextval('kpi_batch_id'), $1, $2, $3, 1)
        returning id
      )sql"};
      static constexpr schema::Statement kInsertEntry{"test_insert_entry", R"sql(
        insert into kpi_entry (batch_id, position, kpi_id, namespace_id, event_id,
                               occurred_at, version_id, value, amount, weight, corrects,
                               subject, evidence, cpu_seconds, hash)
        values ($1, $2, $3, $4, $5, $6, nullif($7::bigint, 0), $8, $9, $10, $11, $12, $13,
                nullif($14::bigint, 0), $15)
      )sql"};
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

  // The only value of the only row.
  template <class Value>
  Value ask(const char* sql) {
    pqxx::connection connection(test_database.url());
    return pqxx::work(connection).exec1(sql)[0].as<Value>();
  }
  void tell(const std::string& sql) {
    pqxx::connection connection(test_database.url());
    pqxx::work work(connection);
    work.exec(sql);
    work.commit();
  }

  schema::Database& database() { return test_database.database(); }

  testing::TestDatabase test_database;
  testing::ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
};

}  // namespace mendel::registry
