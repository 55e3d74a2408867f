#include "schema/ledger_chain.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kGetLedgerHead{"get_ledger_head", R"sql(
  select sequence, entry_count, recorded_at, hash from kpi_head
)sql"};

constexpr Statement kLockLedgerHead{"lock_ledger_head", R"sql(
  select sequence, entry_count, recorded_at, hash from kpi_head for no key update
)sql"};

constexpr Statement kTryLockLedgerHead{"try_lock_ledger_head", R"sql(
  select sequence, entry_count, recorded_at, hash from kpi_head
     for no key update skip locked
)sql"};

constexpr Statement kUpdateLedgerHead{"update_ledger_head", R"sql(
  update kpi_head set sequence = $1, entry_count = $2, recorded_at = $3, hash = $4
)sql"};

constexpr Statement kHasUnchainedBatches{"has_unchained_batches", R"sql(
  select exists (select from kpi_batch where sequence is null) as has
)sql"};

constexpr Statement kListUnchainedBatches{"list_unchained_batches", R"sql(
  select id, entry_count, digest, received_at
    from kpi_batch
   where sequence is null
   order by id
   limit $1
)sql"};

constexpr Statement kChainBatches{"chain_batches", R"sql(
  update kpi_batch b
     set sequence = new.sequence, entries_through = new.entries_through,
         recorded_at = new.recorded_at, hash = new.hash
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::bytea[])
         as new (id, sequence, entries_through, recorded_at, hash)
   where b.id = new.id
)sql"};

constexpr Statement kFindBatchRecordedUntil{"find_batch_recorded_until", R"sql(
  select id, sequence, entry_count, entries_through, digest, recorded_at, hash
    from kpi_batch
   where sequence is not null and recorded_at <= $1
   order by recorded_at desc, sequence desc
   limit 1
)sql"};

constexpr Statement kFindBatch{"find_batch", R"sql(
  select id, sequence, entry_count, entries_through, digest, recorded_at, hash
    from kpi_batch
   where sequence = $1
)sql"};

constexpr Statement kListChainedBatches{"list_chained_batches", R"sql(
  select id, sequence, entry_count, entries_through, digest, recorded_at, hash
    from kpi_batch
   where sequence > $1
   order by sequence
   limit $2
)sql"};

LedgerHeadRow head(const Row& row) {
  return {.sequence = at<std::int64_t>(row, "sequence"),
          .entry_count = at<std::int64_t>(row, "entry_count"),
          .recorded_at = at<Timestamp>(row, "recorded_at"),
          .hash = at<Digest>(row, "hash")};
}

ChainedBatchRow batch(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .sequence = at<std::int64_t>(row, "sequence"),
          .entry_count = at<std::int32_t>(row, "entry_count"),
          .entries_through = at<std::int64_t>(row, "entries_through"),
          .digest = at<Digest>(row, "digest"),
          .recorded_at = at<Timestamp>(row, "recorded_at"),
          .hash = at<Digest>(row, "hash")};
}

std::optional<ChainedBatchRow> batch(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return batch(*row);
}

}  // namespace

LedgerHeadRow get_ledger_head(Transaction& tx) { return head(tx.exec_one(kGetLedgerHead)); }

LedgerHeadRow lock_ledger_head(Transaction& tx) {
  return head(tx.exec_one(kLockLedgerHead));
}

std::optional<LedgerHeadRow> try_lock_ledger_head(Transaction& tx) {
  const auto row = tx.exec_optional(kTryLockLedgerHead);
  if (!row) return std::nullopt;
  return head(*row);
}

void update_ledger_head(Transaction& tx, const LedgerHeadRow& head) {
  tx.exec(kUpdateLedgerHead, head.sequence, head.entry_count, head.recorded_at, head.hash);
}

bool has_unchained_batches(Transaction& tx) {
  return at<bool>(tx.exec_one(kHasUnchainedBatches), "has");
}

std::vector<UnchainedBatchRow> list_unchained_batches(Transaction& tx, std::int64_t limit) {
  std::vector<UnchainedBatchRow> batches;
  for (const Row& row : tx.exec(kListUnchainedBatches, limit)) {
    batches.push_back({.id = at<std::int64_t>(row, "id"),
                       .entry_count = at<std::int32_t>(row, "entry_count"),
                       .digest = at<Digest>(row, "digest"),
                       .received_at = at<Timestamp>(row, "received_at")});
  }
  return batches;
}

void chain_batches(Transaction& tx, std::span<const ChainedBatchRow> batches) {
  if (batches.empty()) return;
  tx.exec(kChainBatches, array_of(batches, &ChainedBatchRow::id),
          array_of(batches, &ChainedBatchRow::sequence),
          array_of(batches, &ChainedBatchRow::entries_through),
          array_of(batches, &ChainedBatchRow::recorded_at),
          array_of(batches, &ChainedBatchRow::hash));
}

std::optional<ChainedBatchRow> find_batch_recorded_until(Transaction& tx, Timestamp at) {
  return batch(tx.exec_optional(kFindBatchRecordedUntil, at));
}

std::optional<ChainedBatchRow> find_batch(Transaction& tx, std::int64_t sequence) {
  return batch(tx.exec_optional(kFindBatch, sequence));
}

std::vector<ChainedBatchRow> list_chained_batches(Transaction& tx, std::int64_t after,
                                                  std::int64_t limit) {
  std::vector<ChainedBatchRow> batches;
  for (const Row& row : tx.exec(kListChainedBatches, after, limit)) {
    batches.push_back(batch(row));
  }
  return batches;
}

}  // namespace mendel::schema
