#include "schema/pipelines.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

#define MENDEL_PIPELINES                                                             \
  "select p.id, p.namespace_id, n.name as namespace_name, p.name, p.specification, " \
  "p.revision, p.concurrency, p.per_day, p.owner_id, o.name as owner, "              \
  "o.is_admin as owner_is_admin, p.owner_namespace, p.created_at, p.created_by, "    \
  "p.updated_at, p.updated_by "                                                      \
  "from pipeline p join namespace n on n.id = p.namespace_id "                       \
  "join principal o on o.id = p.owner_id "

constexpr Statement kFindPipeline{
    "find_pipeline", MENDEL_PIPELINES "where n.folded_name = $1 and p.folded_name = $2"};

constexpr Statement kFindPipelineById{"find_pipeline_by_id",
                                      MENDEL_PIPELINES "where p.id = $1"};

constexpr Statement kLockPipeline{
    "lock_pipeline", MENDEL_PIPELINES "where p.id = $1 for no key update of p"};

constexpr Statement kListPipelines{
    "list_pipelines", MENDEL_PIPELINES
    "left join membership m on m.namespace_id = n.id and m.principal_id = $1 "
    "where ($2::boolean or n.visibility = 'public' "
    "       or (n.visibility = 'internal' and $3::boolean) or m.role is not null) "
    "  and ($4::bigint is null or n.id = $4) "
    "  and ($5::text is null or n.folded_name = $5) "
    "  and ($6::bigint is null or p.id < $6) "
    "order by p.id desc limit $7"};

#undef MENDEL_PIPELINES

constexpr Statement kInsertPipeline{"insert_pipeline", R"sql(
  insert into pipeline (namespace_id, name, specification, concurrency, per_day, owner_id,
                        owner_namespace, created_at, created_by, updated_at, updated_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $9)
  on conflict on constraint pipeline_name_is_unique_ignoring_case do nothing
  returning id
)sql"};

constexpr Statement kUpdatePipeline{"update_pipeline", R"sql(
  update pipeline
     set specification = $2, concurrency = $3, per_day = $4, owner_id = $5,
         owner_namespace = $6, updated_at = $7, updated_by = $8, revision = revision + 1
   where id = $1
)sql"};

constexpr Statement kUpdatePipelineOwner{"update_pipeline_owner", R"sql(
  update pipeline set owner_id = $2, owner_namespace = $3 where id = $1
)sql"};

constexpr Statement kDeletePipeline{"delete_pipeline", R"sql(
  delete from pipeline where id = $1
)sql"};

constexpr Statement kCountLiveJobs{"count_live_jobs", R"sql(
  select count(*) as live from job where pipeline_id = $1 and finished_at is null
)sql"};

PipelineRow pipeline(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .namespace_id = at<std::int64_t>(row, "namespace_id"),
          .namespace_name = at<std::string>(row, "namespace_name"),
          .name = at<std::string>(row, "name"),
          .specification = at<std::string>(row, "specification"),
          .revision = at<std::int32_t>(row, "revision"),
          .concurrency = at<std::optional<std::int32_t>>(row, "concurrency"),
          .per_day = at<std::optional<std::int32_t>>(row, "per_day"),
          .owner_id = at<std::int64_t>(row, "owner_id"),
          .owner = at<std::string>(row, "owner"),
          .owner_is_admin = at<bool>(row, "owner_is_admin"),
          .owner_namespace = at<std::optional<std::int64_t>>(row, "owner_namespace"),
          .created_at = at<Timestamp>(row, "created_at"),
          .created_by = at<std::string>(row, "created_by"),
          .updated_at = at<Timestamp>(row, "updated_at"),
          .updated_by = at<std::string>(row, "updated_by")};
}

std::optional<PipelineRow> pipeline(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return pipeline(*row);
}

}  // namespace

std::optional<PipelineRow> find_pipeline(Transaction& tx,
                                         const std::string& folded_namespace,
                                         const std::string& folded_name) {
  return pipeline(tx.exec_optional(kFindPipeline, folded_namespace, folded_name));
}

std::optional<PipelineRow> find_pipeline_by_id(Transaction& tx, std::int64_t id) {
  return pipeline(tx.exec_optional(kFindPipelineById, id));
}

std::optional<PipelineRow> lock_pipeline(Transaction& tx, std::int64_t id) {
  return pipeline(tx.exec_optional(kLockPipeline, id));
}

std::optional<std::int64_t> insert_pipeline(Transaction& tx, std::int64_t namespace_id,
                                            const std::string& name,
                                            const PipelineEdit& edit) {
  const auto row = tx.exec_optional(kInsertPipeline, namespace_id, name, edit.specification,
                                    edit.concurrency, edit.per_day, edit.owner_id,
                                    edit.owner_namespace, edit.at, edit.by);
  if (!row) return std::nullopt;
  return at<std::int64_t>(*row, "id");
}

void update_pipeline(Transaction& tx, std::int64_t id, const PipelineEdit& edit) {
  tx.exec(kUpdatePipeline, id, edit.specification, edit.concurrency, edit.per_day,
          edit.owner_id, edit.owner_namespace, edit.at, edit.by);
}

void update_pipeline_owner(Transaction& tx, std::int64_t id, const PipelineEdit& edit) {
  tx.exec(kUpdatePipelineOwner, id, edit.owner_id, edit.owner_namespace);
}

void delete_pipeline(Transaction& tx, std::int64_t id) { tx.exec(kDeletePipeline, id); }

std::vector<PipelineRow> list_pipelines(Transaction& tx, const NamespaceViewer& viewer,
                                        const std::optional<std::string>& folded_namespace,
                                        std::optional<std::int64_t> before,
                                        std::int64_t limit) {
  std::vector<PipelineRow> pipelines;
  for (const Row& row :
       tx.exec(kListPipelines, viewer.member, viewer.sees_all, viewer.sees_internal,
               viewer.only_namespace, folded_namespace, before, limit)) {
    pipelines.push_back(pipeline(row));
  }
  return pipelines;
}

std::int64_t count_live_jobs(Transaction& tx, std::int64_t pipeline_id) {
  return at<std::int64_t>(tx.exec_one(kCountLiveJobs, pipeline_id), "live");
}

}  // namespace mendel::schema
