#include "schema/checkpoints.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

#define MENDEL_CHECKPOINTS                                                         \
  "select step, digest, kind, size_bytes, file_count, metrics, state, published, " \
  "created_at, created_by from run_checkpoint where run_id = $1 "

constexpr Statement kFindCheckpoint{"find_checkpoint", MENDEL_CHECKPOINTS "and step = $2"};

constexpr Statement kListCheckpoints{
    "list_checkpoints",
    MENDEL_CHECKPOINTS "and ($2::bigint is null or step < $2) order by step desc limit $3"};

constexpr Statement kListKeptCheckpoints{
    "list_kept_checkpoints", MENDEL_CHECKPOINTS "and state = 'kept' order by step"};

#undef MENDEL_CHECKPOINTS

constexpr Statement kInsertCheckpoint{"insert_checkpoint", R"sql(
  insert into run_checkpoint (run_id, namespace_id, step, digest, kind, size_bytes,
                              file_count, metrics, state, created_at, created_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
)sql"};

constexpr Statement kDropCheckpoints{"drop_checkpoints", R"sql(
  update run_checkpoint set state = 'dropped'
   where run_id = $1 and step = any ($2::bigint[]) and not published
)sql"};

constexpr Statement kPinCheckpoint{"pin_checkpoint", R"sql(
  update run_checkpoint set published = true
   where run_id = $1 and step = $2 and state = 'kept'
)sql"};

constexpr Statement kListDroppedManifests{"list_dropped_manifests", R"sql(
  select distinct c.digest
    from run_checkpoint c
   where c.namespace_id = $1 and c.state = 'dropped'
     and ($2::bytea is null or c.digest > $2)
     and not exists (select from run_checkpoint k
                      where k.namespace_id = c.namespace_id and k.digest = c.digest
                        and k.state = 'kept')
     and not exists (select from version v join artifact a on a.id = v.artifact_id
                      where a.namespace_id = c.namespace_id and v.digest = c.digest
                        and v.state <> 'deleted')
   order by c.digest
   limit $3
)sql"};

CheckpointRow checkpoint(const Row& row) {
  return {.step = at<std::int64_t>(row, "step"),
          .digest = at<Digest>(row, "digest"),
          .kind = at<std::string>(row, "kind"),
          .size_bytes = at<std::int64_t>(row, "size_bytes"),
          .file_count = at<std::int64_t>(row, "file_count"),
          .metrics = at<std::string>(row, "metrics"),
          .state = at<std::string>(row, "state"),
          .published = at<bool>(row, "published"),
          .created_at = at<Timestamp>(row, "created_at"),
          .created_by = at<std::string>(row, "created_by")};
}

std::vector<CheckpointRow> checkpoints(const Rows& rows) {
  std::vector<CheckpointRow> found;
  for (const Row& row : rows) found.push_back(checkpoint(row));
  return found;
}

}  // namespace

void insert_checkpoint(Transaction& tx, const RunOfNamespace& run,
                       const CheckpointRow& checkpoint) {
  tx.exec(kInsertCheckpoint, run.run_id, run.namespace_id, checkpoint.step,
          checkpoint.digest, checkpoint.kind, checkpoint.size_bytes, checkpoint.file_count,
          checkpoint.metrics, checkpoint.state, checkpoint.created_at,
          checkpoint.created_by);
}

std::optional<CheckpointRow> find_checkpoint(Transaction& tx, std::int64_t run_id,
                                             std::int64_t step) {
  const auto row = tx.exec_optional(kFindCheckpoint, run_id, step);
  if (!row) return std::nullopt;
  return checkpoint(*row);
}

std::vector<CheckpointRow> list_checkpoints(Transaction& tx, std::int64_t run_id,
                                            std::optional<std::int64_t> before,
                                            std::int64_t limit) {
  return checkpoints(tx.exec(kListCheckpoints, run_id, before, limit));
}

std::vector<CheckpointRow> list_kept_checkpoints(Transaction& tx, std::int64_t run_id) {
  return checkpoints(tx.exec(kListKeptCheckpoints, run_id));
}

void drop_checkpoints(Transaction& tx, std::int64_t run_id,
                      std::span<const std::int64_t> steps) {
  if (steps.empty()) return;
  tx.exec(kDropCheckpoints, run_id, array_of(steps));
}

bool pin_checkpoint(Transaction& tx, std::int64_t run_id, std::int64_t step) {
  return tx.exec_counting(kPinCheckpoint, run_id, step) == 1;
}

std::vector<Digest> list_dropped_manifests(Transaction& tx, std::int64_t ns,
                                           const std::optional<Digest>& after,
                                           std::int64_t limit) {
  std::vector<Digest> digests;
  for (const Row& row : tx.exec(kListDroppedManifests, ns, after, limit)) {
    digests.push_back(at<Digest>(row, "digest"));
  }
  return digests;
}

}  // namespace mendel::schema
