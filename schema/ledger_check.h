#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "schema/ledger_sums.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

// What a check of the ledger reads.
namespace mendel::schema {

// An entry with what it names spelled out, as its hash has it.
struct SpelledEntryRow {
  std::int64_t batch_id = 0;
  std::string kpi;  // "" for one that is not there, and so on
  std::string ns;
  std::string event_id;
  Timestamp occurred_at;
  std::string model;  // "lhcb/lamarr-trk:17"; "" without one
  std::string value;
  std::string amount;
  std::int32_t weight = 0;
  std::string corrects;  // "": an event
  std::string reason;
  std::string subject;   // JSON
  std::string evidence;  // JSON
  std::optional<std::string> cpu_seconds, gpu_seconds, energy_kwh;
  Digest hash;
};
// Of some batches of the chain, in its order.
std::vector<SpelledEntryRow> list_spelled_entries(Transaction& tx, BatchRange batches);

// Where something is not as it should be.
struct EntryPlaceRow {
  std::string kpi;
  std::string ns;
  std::string event_id;
  std::int64_t batch_id = 0;
  std::int64_t sequence = 0;  // 0: not in the chain
};

// Entries whose batch is not there.
std::vector<EntryPlaceRow> list_entries_without_batch(Transaction& tx, std::int64_t limit);

// Corrections in the chain of what is no event, or whose occurrence, version or subject
// differs from their event's.
std::vector<EntryPlaceRow> list_stray_corrections(Transaction& tx, std::int64_t limit);

// Corrections after which the amounts and weights of their event and its corrections do not
// come to the value that they give it.
std::vector<EntryPlaceRow> list_wrong_corrections(Transaction& tx, std::int64_t limit);

std::vector<CountingRow> list_countings(Transaction& tx);
std::string find_kpi_name(Transaction& tx, std::int64_t kpi_id);

// Sums by day that are not those of the entries which they are of.
struct WrongSumRow {
  std::string key;
  std::string value;
  std::string occurred_on;
};
std::vector<WrongSumRow> list_wrong_sums(Transaction& tx, const LedgerScope& scope,
                                         const std::vector<std::string>& keys,
                                         std::int64_t rolled_up_to, std::int64_t limit);
std::vector<std::string> list_wrong_links(Transaction& tx, const LedgerScope& scope,
                                          std::int64_t rolled_up_to, std::int64_t limit);

}  // namespace mendel::schema
