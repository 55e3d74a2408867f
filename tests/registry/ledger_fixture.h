#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "tests/testing/ledger_rows.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/test_database.h"

namespace mendel::registry {

using testing::LedgerRow;

// A ledger to which rows are added below the services that check what they are.
class LedgerTest : public ::testing::Test {
 protected:
  // Each in a batch of its own.
  void commit(const std::vector<LedgerRow>& rows) {
    for (const LedgerRow& row : rows) commit_batch({row});
  }
  void commit_batch(const std::vector<LedgerRow>& rows) { commit_batch(rows, clock.now()); }
  void commit_batch(const std::vector<LedgerRow>& rows, Timestamp received_at) {
    testing::insert_ledger_batch(database(), rows, received_at);
  }

  std::int64_t ask(const std::string& sql) { return testing::ask_number(database(), sql); }
  void tell(const std::string& sql) { testing::run_sql(database(), sql); }

  schema::Database& database() { return test_database.database(); }

  testing::TestDatabase test_database;
  testing::ManualClock clock{parse_rfc3339("2024-02-13T00:00:00Z")};
};

}  // namespace mendel::registry
