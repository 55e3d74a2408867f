#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::testing {

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

// Below the services that check what rows are; neither digest nor hashes are real.
void insert_ledger_batch(schema::Database& database, const std::vector<LedgerRow>& rows,
                         Timestamp received_at);
std::int64_t insert_counting(schema::Database& database, std::int64_t kpi_id,
                             const std::string& rule);

void run_sql(schema::Database& database, const std::string& sql);
// The only value of the only row, a number.
std::int64_t ask_number(schema::Database& database, const std::string& sql);

}  // namespace mendel::testing
