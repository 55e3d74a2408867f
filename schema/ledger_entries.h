#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

// Entries of the KPI ledger and the batches that they come in. Numbers are text, as
// PostgreSQL writes a numeric: none is rounded on its way.
namespace mendel::schema {

struct LedgerKey {
  std::int64_t kpi_id = 0;
  std::int64_t namespace_id = 0;
  std::string event_id;

  friend auto operator<=>(const LedgerKey&, const LedgerKey&) = default;
};

struct NewLedgerEntry {
  LedgerKey key;
  std::int32_t position = 0;
  Timestamp occurred_at;
  std::optional<std::int64_t> version_id;
  std::string value;
  std::string previous;  // what the value takes the place of: the amount is the difference
  std::int32_t weight = 0;
  std::optional<std::string> corrects;
  std::optional<std::string> reason;
  std::optional<std::string> subject;  // a JSON object
  std::vector<std::string> evidence;
  std::optional<std::string> cpu_seconds, gpu_seconds, energy_kwh;
  Digest hash;
};

std::int64_t next_kpi_batch(Transaction& tx);

// The positions of those that were inserted: all whose keys are not taken yet. Entries in
// the order of their keys, so that transactions that bring the same do not wait for each
// other in a circle.
std::vector<std::int32_t> insert_ledger_entries(Transaction& tx, std::int64_t batch_id,
                                                const std::vector<NewLedgerEntry>& entries);

struct NewKpiBatch {
  std::int64_t id = 0;
  std::int32_t entry_count = 0;
  Digest digest;
  Timestamp received_at;
  std::int64_t principal_id = 0;
};
void insert_kpi_batch(Transaction& tx, const NewKpiBatch& batch);

// What is there already. index: of the key that was asked for.
struct KnownLedgerEntry {
  std::int64_t index = 0;
  std::optional<std::int64_t> version_id;
  Digest hash;
};
std::vector<KnownLedgerEntry> find_ledger_entries(Transaction& tx,
                                                  const std::vector<LedgerKey>& keys);

// Entries that are to be corrected: until the transaction ends by it alone. Keys in order,
// each once; index: of the key.
struct CorrectedLedgerEntry {
  std::int64_t index = 0;
  bool is_correction = false;
  Timestamp occurred_at;
  std::optional<std::int64_t> version_id;
  std::optional<std::string> subject;
};
std::vector<CorrectedLedgerEntry> lock_corrected_entries(
    Transaction& tx, const std::vector<LedgerKey>& keys);

// The values of events as they were corrected so far, in the order of the keys. To be asked
// in a statement after the one that locks them.
std::vector<std::string> list_corrected_values(Transaction& tx,
                                               const std::vector<LedgerKey>& keys);

// A model's version, deleted ones among them: what was made with it was made.
struct LedgerModelRow {
  std::int64_t version_id = 0;
  std::string namespace_name;
  std::string name;
  std::int32_t number = 0;
  Digest digest;
};
std::optional<LedgerModelRow> find_ledger_model(Transaction& tx,
                                                const std::string& folded_namespace,
                                                const std::string& folded_name,
                                                std::int32_t number);
// The newest active one with this digest; where there is none, the newest of those that are
// not deleted, or of all.
std::optional<LedgerModelRow> find_ledger_model_by_digest(
    Transaction& tx, const std::string& folded_namespace, const std::string& folded_name,
    const Digest& digest);
std::optional<LedgerModelRow> find_ledger_model_by_id(Transaction& tx,
                                                      std::int64_t version_id);

// A chained entry, with the names of what it names.
struct LedgerEntryRow {
  std::int64_t sequence = 0;
  std::int32_t position = 0;
  Timestamp recorded_at;
  Digest hash;
  std::string principal;
  std::string kpi;
  std::string ns;
  std::string event_id;
  Timestamp occurred_at;
  std::optional<std::string> model_namespace;
  std::optional<std::string> model_name;
  std::optional<std::int32_t> model_number;
  std::string value;
  std::optional<std::string> corrects;
  std::optional<std::string> reason;
  std::optional<std::string> subject;   // a JSON object
  std::optional<std::string> evidence;  // a JSON array
  std::optional<std::string> cpu_seconds, gpu_seconds, energy_kwh;
};

struct LedgerEntryFilter {
  std::vector<std::int64_t> kpi_ids;  // of these
  std::optional<std::string> folded_namespace;
  std::int64_t after_sequence = 0;  // later in the chain than this place
  std::int32_t after_position = 0;
  std::int64_t limit = 0;
};
// In the order of the chain.
std::vector<LedgerEntryRow> list_ledger_entries(Transaction& tx,
                                                const NamespaceViewer& viewer,
                                                const LedgerEntryFilter& filter);

}  // namespace mendel::schema
