#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

// Sums of the ledger: those that are kept by day, and those of entries.
namespace mendel::schema {

// Which entries a counting is about.
struct LedgerScope {
  std::int64_t counting_id = 0;
  std::int64_t kpi_id = 0;
  std::vector<std::int64_t> namespaces;                    // empty: all
  std::map<std::string, std::vector<std::string>> filter;  // subject key: one of these
};

// --- Roll-up ----------------------------------------------------------------------------

struct CountingRow {
  std::int64_t id = 0;
  std::int64_t kpi_id = 0;
  std::string rule;
  std::int64_t rolled_up_to = 0;
};
// Those whose sums do not go to the end of the chain.
std::vector<std::int64_t> list_countings_behind(Transaction& tx);
// nullopt: another server is at it.
std::optional<CountingRow> try_lock_counting(Transaction& tx, std::int64_t id);
void update_rolled_up_to(Transaction& tx, std::int64_t id, std::int64_t sequence);

// The last of the batches that follow and have so many entries; the next one, if it has
// more. nullopt: none follows.
std::optional<std::int64_t> find_end_of_batches(Transaction& tx, std::int64_t after,
                                                std::int64_t entries_max);

struct BatchRange {
  std::int64_t after = 0;
  std::int64_t last = 0;
};
// Adds what batches bring to the sums: of everything, and by the values of each key.
void add_to_ledger_sums(Transaction& tx, const LedgerScope& scope,
                        const std::vector<std::string>& keys, BatchRange batches);
// The same for links of evidence. A day of occurrence takes no new ones once it has
// links_max of them.
void add_to_ledger_links(Transaction& tx, const LedgerScope& scope, BatchRange batches,
                         std::int64_t links_max);

// --- Questions --------------------------------------------------------------------------

std::int64_t find_rolled_up_to(Transaction& tx, std::int64_t counting_id);

// What sums by day tell of whole days of occurrence.
struct KeptSums {
  std::optional<std::chrono::sys_days> first;
  std::chrono::sys_days last;
  std::optional<std::chrono::sys_days> recorded_before;
};

// What entries of some batches tell. is_taken_away: of that the sums have too much.
struct SummedEntries {
  BatchRange batches;
  std::optional<Timestamp> from;
  Timestamp until;
  bool is_taken_away = false;
};

// One question to the ledger: the sum of all these parts.
struct LedgerQuestion {
  LedgerScope scope;
  std::string key;  // empty: no subject key
  std::optional<KeptSums> kept;
  std::vector<SummedEntries> entries;
  std::optional<std::vector<std::int64_t>> versions;  // these alone
};

struct LedgerSumRow {
  std::string value;
  std::int64_t version_id = 0;
  std::string amount;
  std::int64_t weight = 0;
  std::int64_t entries = 0;
  std::string cpu_seconds, gpu_seconds, energy_kwh;
};
// Per value of the key and version.
std::vector<LedgerSumRow> sum_ledger(Transaction& tx, const LedgerQuestion& question);

struct LedgerDayRow {
  std::string value;
  std::chrono::sys_days day;
  std::string amount;
  std::int64_t weight = 0;
};
// Per value of the key and day of occurrence, in order.
std::vector<LedgerDayRow> sum_ledger_by_day(Transaction& tx,
                                            const LedgerQuestion& question);

// Links of events that count, the latest occurrences first.
std::vector<std::string> list_ledger_links(Transaction& tx, const LedgerQuestion& question,
                                           std::size_t limit);

// For statements of this transaction that read the whole ledger.
void allow_long_statements(Transaction& tx);

}  // namespace mendel::schema
