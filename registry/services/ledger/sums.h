#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/definition.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Which entries of a counting are meant: those that happened in this time and were recorded
// until at, and in the chain until sequence. Whole UTC days are the fast ones.
struct LedgerRange {
  std::optional<Timestamp> from;  // happened at it or later
  Timestamp until;  // happened at it or before (…T23:59:59.999999Z: a whole day)
  Timestamp at;
  std::int64_t sequence = 0;  // as close_book(at) gave it; 0: the chain was empty
};

struct LedgerSum {
  std::string value;      // of the key that was summed up by; empty: entries without it
  VersionId version = 0;  // 0: entries without a model
  Amount amount;
  std::int64_t weight = 0;                      // entries that count
  std::int64_t entries = 0;                     // rows, corrections among them
  Amount cpu_seconds, gpu_seconds, energy_kwh;  // under key "" alone
};

struct LedgerDay {
  std::chrono::sys_days day;  // of occurrence
  Amount amount;
  std::int64_t weight = 0;
  std::string value;  // of the key that was summed up by
};

// The sums of reports, in units. They come from sums that are kept by day, and from entries
// where those do not reach: days that are cut, a key that is not declared, batches that are
// not rolled up yet. Both ways give the same, to the last digit. Any thread.
class LedgerSums {
 public:
  explicit LedgerSums(schema::Database& database) : database_(database) {}

  // Per value of the key and version, only those with entries. key "": everything.
  std::vector<LedgerSum> by(const Counting& counting, const std::string& key,
                            const LedgerRange& range);
  // The same for some versions alone.
  std::vector<LedgerSum> by(const Counting& counting, const std::string& key,
                            const LedgerRange& range, std::span<const VersionId> versions);

  // The same as by(), from the entries alone, one after the other: for who doubts.
  std::vector<LedgerSum> recount(const Counting& counting, const std::string& key,
                                 const LedgerRange& range);

  // Days on which something happened, in order: of everything, and for each value of a key.
  std::vector<LedgerDay> by_day(const Counting& counting, const LedgerRange& range);
  std::vector<LedgerDay> by_day(const Counting& counting, const std::string& key,
                                const LedgerRange& range);

  // Links of evidence of events that count (of each day some, where there are many), at
  // most limit, the latest occurrences first.
  std::vector<std::string> links(const Counting& counting, const LedgerRange& range,
                                 std::size_t limit);

 private:
  schema::Database& database_;
};

}  // namespace mendel::registry
