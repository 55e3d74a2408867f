#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "schema/ledger_sums.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// What entries come to per values of two subject keys, from the entries alone.
struct LedgerPairQuestion {
  LedgerScope scope;
  std::string part_key;
  std::string value_key;
  std::optional<Timestamp> from;
  Timestamp until;
  std::int64_t sequence = 0;  // of the last batch that counts
};
struct LedgerPairRow {
  std::string part;  // empty: entries without the key
  std::string value;
  std::int64_t weight = 0;
  std::int64_t entries = 0;
};
std::vector<LedgerPairRow> sum_ledger_pairs(Transaction& tx,
                                            const LedgerPairQuestion& question);

}  // namespace mendel::schema
