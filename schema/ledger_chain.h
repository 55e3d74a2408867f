#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

// The chain of the ledger's batches, and its end.
namespace mendel::schema {

struct LedgerHeadRow {
  std::int64_t sequence = 0;
  std::int64_t entry_count = 0;
  Timestamp recorded_at;  // until then the book is closed
  Digest hash;
};
LedgerHeadRow get_ledger_head(Transaction& tx);

// Until the end of the transaction nobody else chains, or closes the book. The other gives
// none where somebody is at it.
LedgerHeadRow lock_ledger_head(Transaction& tx);
std::optional<LedgerHeadRow> try_lock_ledger_head(Transaction& tx);
void update_ledger_head(Transaction& tx, const LedgerHeadRow& head);

bool has_unchained_batches(Transaction& tx);

struct UnchainedBatchRow {
  std::int64_t id = 0;
  std::int32_t entry_count = 0;
  Digest digest;
  Timestamp received_at;
};
// In order of their ids, in which a correction always comes after what it corrects.
std::vector<UnchainedBatchRow> list_unchained_batches(Transaction& tx, std::int64_t limit);

struct ChainedBatchRow {
  std::int64_t id = 0;
  std::int64_t sequence = 0;
  std::int32_t entry_count = 0;
  std::int64_t entries_through = 0;  // entries of the chain up to its end
  Digest digest;
  Timestamp recorded_at;
  Digest hash;
};
void chain_batches(Transaction& tx, std::span<const ChainedBatchRow> batches);

// The last one recorded until then.
std::optional<ChainedBatchRow> find_batch_recorded_until(Transaction& tx, Timestamp at);
std::optional<ChainedBatchRow> find_batch(Transaction& tx, std::int64_t sequence);
// In order, sequences above after.
std::vector<ChainedBatchRow> list_chained_batches(Transaction& tx, std::int64_t after,
                                                  std::int64_t limit);

}  // namespace mendel::schema
