#include "schema/runs.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// Every query for runs reads the same columns; they differ in how runs are found.
#define MENDEL_RUN_COLUMNS                                                              \
  "select r.id, r.uuid::text, r.namespace_id, n.name as namespace_name, r.name, "       \
  "r.status, r.request_digest, r.created_by, r.created_at, r.started_at, "              \
  "r.finished_at, r.heartbeat_seconds, r.heartbeat_at, r.hyperparameters, "             \
  "coalesce(h.canonical, '') as canonical, coalesce(r.source::text, '') as source, "    \
  "r.labels, r.message, coalesce(r.command::text, '') as command, r.directory, "        \
  "r.resources, r.exit_status, r.keep_rule, r.job_id, r.job_attempt, "                  \
  "coalesce((select j.uuid::text from job j where j.id = r.job_id), '') as job, "       \
  "(select count(*) from run_checkpoint c where c.run_id = r.id) as checkpoint_count, " \
  "(select coalesce(json_agg(json_build_object("                                        \
  "   'role', e.role, 'name', e.name, 'uri', e.uri, "                                   \
  "   'ref', tn.name || '/' || ta.name || ':' || t.number, "                            \
  "   'digest', encode(coalesce(t.digest, e.digest), 'hex')) order by e.position)"      \
  "   ::text, '') "                                                                     \
  "   from run_input e left join version t on t.id = e.target_id "                      \
  "   left join artifact ta on ta.id = t.artifact_id "                                  \
  "   left join namespace tn on tn.id = ta.namespace_id "                               \
  "  where e.run_id = r.id) as inputs "
#define MENDEL_RUNS                                       \
  MENDEL_RUN_COLUMNS                                      \
  "from run r join namespace n on n.id = r.namespace_id " \
  "left join hyperparameters h on h.digest = r.hyperparameters "

constexpr Statement kFindRun{"find_run", MENDEL_RUNS "where r.uuid = $1"};

constexpr Statement kLockRun{"lock_run",
                             MENDEL_RUNS "where r.uuid = $1 for no key update of r"};

// From each namespace no more than a page, so that what others have done is not read.
constexpr Statement kListRuns{
    "list_runs", MENDEL_RUN_COLUMNS
    "from namespace n left join membership m "
    "  on m.namespace_id = n.id and m.principal_id = $1 "
    "cross join lateral ("
    "  select * from run i where i.namespace_id = n.id "
    "     and ($6::text is null or i.status = $6) "
    "     and ($7::bigint is null or i.id < $7) "
    "   order by i.id desc limit $8) r "
    "left join hyperparameters h on h.digest = r.hyperparameters "
    "where ($2::boolean or n.visibility = 'public' "
    "       or (n.visibility = 'internal' and $3::boolean) or m.role is not null) "
    "  and ($4::bigint is null or n.id = $4) "
    "  and ($5::text is null or n.folded_name = $5) "
    "order by r.id desc limit $8"};

#undef MENDEL_RUNS
#undef MENDEL_RUN_COLUMNS

constexpr Statement kInsertRun{"insert_run", R"sql(
  with new as (
    insert into run (uuid, namespace_id, name, request_digest, created_by, created_at,
                     started_at, heartbeat_seconds, heartbeat_at, lost_after,
                     hyperparameters, source, labels, message, keep_rule, command, directory)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    on conflict on constraint run_uuid_is_unique do nothing
    returning id
  )
  insert into metric_log (run_id) select id from new returning run_id
)sql"};

constexpr Statement kUpdateRunState{"update_run_state", R"sql(
  update run set status = $2, finished_at = $3, exit_status = $4 where id = $1
)sql"};

constexpr Statement kUpdateRunLabels{"update_run_labels", R"sql(
  update run set labels = $2 where id = $1
)sql"};

constexpr Statement kUpdateRunResources{"update_run_resources", R"sql(
  update run set resources = $2 where id = $1
)sql"};

// A run is lost once three heartbeats are missing.
constexpr Statement kRecordHeartbeat{"record_heartbeat", R"sql(
  update run
     set heartbeat_at = case when heartbeat_seconds is not null
                             then greatest(heartbeat_at, $2) end,
         lost_after = greatest(lost_after, $2 + 3 * heartbeat_seconds * interval '1 second'),
         status = case when status = 'lost' then 'running' else status end
   where id = $1
  returning status
)sql"};

constexpr Statement kMarkLostRuns{"mark_lost_runs", R"sql(
  update run set status = 'lost'
   where id in (select id from run
                 where status = 'running' and lost_after < $1
                 order by lost_after
                 limit $2
                   for no key update skip locked)
  returning uuid::text
)sql"};

constexpr Statement kInsertRunInputs{"insert_run_inputs", R"sql(
  insert into run_input (run_id, position, role, name, target_id, uri, digest)
  select $1::bigint, position, role, name, target_id, uri, digest
    from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[])
         with ordinality as new (role, name, target_id, uri, digest, position)
)sql"};

constexpr Statement kListRunInputs{"list_run_inputs", R"sql(
  select role, name, target_id, uri, digest
    from run_input where run_id = $1 order by position
)sql"};

constexpr Statement kListRunOutputs{"list_run_outputs", R"sql(
  select n.name || '/' || a.name || ':' || v.number as output
    from version v
    join artifact a on a.id = v.artifact_id
    join namespace n on n.id = a.namespace_id
   where v.run_id = $1 and v.state <> 'deleted'
   order by v.id
   limit $2
)sql"};

RunRow run(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .uuid = at<std::string>(row, "uuid"),
          .namespace_id = at<std::int64_t>(row, "namespace_id"),
          .namespace_name = at<std::string>(row, "namespace_name"),
          .name = at<std::string>(row, "name"),
          .status = at<std::string>(row, "status"),
          .request_digest = at<Digest>(row, "request_digest"),
          .created_by = at<std::string>(row, "created_by"),
          .created_at = at<Timestamp>(row, "created_at"),
          .started_at = at<Timestamp>(row, "started_at"),
          .finished_at = at<std::optional<Timestamp>>(row, "finished_at"),
          .heartbeat_seconds = at<std::optional<std::int32_t>>(row, "heartbeat_seconds"),
          .heartbeat_at = at<std::optional<Timestamp>>(row, "heartbeat_at"),
          .hyperparameters_digest = at<std::optional<Digest>>(row, "hyperparameters"),
          .hyperparameters = at<std::string>(row, "canonical"),
          .source = at<std::string>(row, "source"),
          .labels = at<std::string>(row, "labels"),
          .message = at<std::string>(row, "message"),
          .command = at<std::string>(row, "command"),
          .directory = at<std::string>(row, "directory"),
          .resources = at<std::string>(row, "resources"),
          .exit_status = at<std::optional<std::int32_t>>(row, "exit_status"),
          .keep_rule = at<std::string>(row, "keep_rule"),
          .checkpoint_count = at<std::int64_t>(row, "checkpoint_count"),
          .inputs = at<std::string>(row, "inputs"),
          .job_id = at<std::optional<std::int64_t>>(row, "job_id"),
          .job_attempt = at<std::optional<std::int32_t>>(row, "job_attempt"),
          .job = at<std::string>(row, "job")};
}

std::optional<RunRow> run(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return run(*row);
}

}  // namespace

std::optional<std::int64_t> insert_run(Transaction& tx, const NewRun& run) {
  const auto row = tx.exec_optional(
      kInsertRun, run.uuid, run.namespace_id, run.name, run.request_digest, run.created_by,
      run.created_at, run.started_at, run.heartbeat_seconds, run.heartbeat_at,
      run.lost_after, run.hyperparameters_digest, run.source, run.labels, run.message,
      run.keep_rule, run.command, run.directory);
  if (!row) return std::nullopt;
  return at<std::int64_t>(*row, "run_id");
}

std::optional<RunRow> find_run(Transaction& tx, std::string_view uuid) {
  return run(tx.exec_optional(kFindRun, uuid));
}

std::optional<RunRow> lock_run(Transaction& tx, std::string_view uuid) {
  return run(tx.exec_optional(kLockRun, uuid));
}

std::vector<RunRow> list_runs(Transaction& tx, const NamespaceViewer& viewer,
                              const RunFilter& filter, std::optional<std::int64_t> before,
                              std::int64_t limit) {
  std::vector<RunRow> runs;
  for (const Row& row : tx.exec(kListRuns, viewer.member, viewer.sees_all,
                                viewer.sees_internal, viewer.only_namespace,
                                filter.folded_namespace, filter.status, before, limit)) {
    runs.push_back(run(row));
  }
  return runs;
}

void update_run_state(Transaction& tx, std::int64_t run_id, const RunEnd& end) {
  tx.exec(kUpdateRunState, run_id, end.status, end.finished_at, end.exit_status);
}

void update_run_labels(Transaction& tx, std::int64_t run_id, const std::string& labels) {
  tx.exec(kUpdateRunLabels, run_id, labels);
}

void update_run_resources(Transaction& tx, std::int64_t run_id,
                          const std::string& resources) {
  tx.exec(kUpdateRunResources, run_id, resources);
}

std::string record_heartbeat(Transaction& tx, std::int64_t run_id, Timestamp now) {
  return at<std::string>(tx.exec_one(kRecordHeartbeat, run_id, now), "status");
}

std::vector<std::string> mark_lost_runs(Transaction& tx, Timestamp now,
                                        std::int64_t limit) {
  std::vector<std::string> uuids;
  for (const Row& row : tx.exec(kMarkLostRuns, now, limit)) {
    uuids.push_back(at<std::string>(row, "uuid"));
  }
  return uuids;
}

void insert_run_inputs(Transaction& tx, std::int64_t run_id,
                       std::span<const NewEdge> inputs) {
  if (inputs.empty()) return;
  tx.exec(kInsertRunInputs, run_id, array_of(inputs, &NewEdge::role),
          array_of(inputs, &NewEdge::name), array_of(inputs, &NewEdge::target_id),
          array_of(inputs, &NewEdge::uri), array_of(inputs, &NewEdge::digest));
}

std::vector<NewEdge> list_run_inputs(Transaction& tx, std::int64_t run_id) {
  std::vector<NewEdge> inputs;
  for (const Row& row : tx.exec(kListRunInputs, run_id)) {
    inputs.push_back({.role = at<std::string>(row, "role"),
                      .name = at<std::string>(row, "name"),
                      .target_id = at<std::optional<std::int64_t>>(row, "target_id"),
                      .uri = at<std::optional<std::string>>(row, "uri"),
                      .digest = at<std::optional<Digest>>(row, "digest")});
  }
  return inputs;
}

std::vector<std::string> list_run_outputs(Transaction& tx, std::string_view uuid,
                                          std::int64_t limit) {
  std::vector<std::string> outputs;
  for (const Row& row : tx.exec(kListRunOutputs, uuid, limit)) {
    outputs.push_back(at<std::string>(row, "output"));
  }
  return outputs;
}

}  // namespace mendel::schema
