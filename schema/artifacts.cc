#include "schema/artifacts.h"

#include <utility>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertArtifact{"insert_artifact_if_absent", R"sql(
  insert into artifact (namespace_id, name, kind, created_at, changed_at)
  values ($1, $2, $3, $4, $4)
  on conflict (namespace_id, folded_name) do nothing
)sql"};

constexpr Statement kLockArtifact{"lock_artifact", R"sql(
  select a.*, n.name as namespace_name
    from artifact a join namespace n on n.id = a.namespace_id
   where a.namespace_id = $1 and a.folded_name = $2
     for no key update of a
)sql"};

constexpr Statement kLockArtifactById{"lock_artifact_by_id", R"sql(
  select a.*, n.name as namespace_name
    from artifact a join namespace n on n.id = a.namespace_id
   where a.id = $1
     for no key update of a
)sql"};

constexpr Statement kFindArtifact{"find_artifact", R"sql(
  select a.*, n.name as namespace_name
    from artifact a join namespace n on n.id = a.namespace_id
   where n.folded_name = $1 and a.folded_name = $2
)sql"};

constexpr Statement kTouchArtifact{"touch_artifact", R"sql(
  update artifact set newest_number = $2, changed_at = greatest(changed_at, $3) where id = $1
)sql"};

constexpr Statement kUpdateDescription{"update_artifact_description", R"sql(
  update artifact set description = $2, changed_at = greatest(changed_at, $3) where id = $1
)sql"};

constexpr Statement kListArtifacts{"list_artifacts", R"sql(
  select a.*, n.name as namespace_name,
         (select coalesce(json_object_agg(l.name, v.number), '{}')
            from alias l join version v on v.id = l.version_id
           where l.artifact_id = a.id) as aliases
    from artifact a
    join namespace n on n.id = a.namespace_id
    left join membership m on m.namespace_id = n.id and m.principal_id = $1
   where ($2::boolean
          or n.visibility = 'public'
          or (n.visibility = 'internal' and $3::boolean)
          or m.role is not null)
     and ($4::bigint is null or n.id = $4)
     and a.kind = $5
     and ($6::text is null or n.folded_name = $6)
     and ($7 = '' or position(lower($7) in a.folded_name) > 0
                  or position(lower($7) in lower(a.description)) > 0)
     and ($8::timestamptz is null or (a.changed_at, a.id) < ($8, $9::bigint))
   order by a.changed_at desc, a.id desc
   limit $10
)sql"};

constexpr Statement kCountVersions{"count_versions", R"sql(
  select count(*) as versions,
         count(*) filter (where state = 'yanked') as yanked,
         max(number) filter (where state = 'active') as latest
    from version
   where artifact_id = $1 and state <> 'deleted'
)sql"};

ArtifactRow artifact(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .namespace_id = at<std::int64_t>(row, "namespace_id"),
          .namespace_name = at<std::string>(row, "namespace_name"),
          .name = at<std::string>(row, "name"),
          .kind = at<std::string>(row, "kind"),
          .description = at<std::string>(row, "description"),
          .newest_number = at<std::int32_t>(row, "newest_number"),
          .created_at = at<Timestamp>(row, "created_at"),
          .changed_at = at<Timestamp>(row, "changed_at")};
}

std::optional<ArtifactRow> artifact(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return artifact(*row);
}

}  // namespace

std::optional<ArtifactRow> lock_artifact(Transaction& tx, std::int64_t namespace_id,
                                         const std::string& folded_name) {
  return artifact(tx.exec_optional(kLockArtifact, namespace_id, folded_name));
}

ArtifactRow lock_or_insert_artifact(Transaction& tx, std::int64_t namespace_id,
                                    const std::string& name, const std::string& folded_name,
                                    const std::string& kind, Timestamp now) {
  if (auto found = lock_artifact(tx, namespace_id, folded_name)) return std::move(*found);
  tx.exec(kInsertArtifact, namespace_id, name, kind, now);
  return artifact(tx.exec_one(kLockArtifact, namespace_id, folded_name));
}

ArtifactRow lock_artifact_by_id(Transaction& tx, std::int64_t id) {
  return artifact(tx.exec_one(kLockArtifactById, id));
}

std::optional<ArtifactRow> find_artifact(Transaction& tx,
                                         const std::string& folded_namespace,
                                         const std::string& folded_name) {
  return artifact(tx.exec_optional(kFindArtifact, folded_namespace, folded_name));
}

void touch_artifact(Transaction& tx, std::int64_t id, std::int32_t newest_number,
                    Timestamp now) {
  tx.exec(kTouchArtifact, id, newest_number, now);
}

void update_artifact_description(Transaction& tx, std::int64_t id,
                                 const std::string& description, Timestamp now) {
  tx.exec(kUpdateDescription, id, description, now);
}

std::vector<ListedArtifact> list_artifacts(Transaction& tx, const NamespaceViewer& viewer,
                                           const ArtifactFilter& filter,
                                           const std::optional<ArtifactPosition>& after,
                                           std::int64_t limit) {
  std::optional<Timestamp> after_time;
  std::optional<std::int64_t> after_id;
  if (after) {
    after_time = after->changed_at;
    after_id = after->id;
  }
  std::vector<ListedArtifact> artifacts;
  for (const Row& row :
       tx.exec(kListArtifacts, viewer.member, viewer.sees_all, viewer.sees_internal,
               viewer.only_namespace, filter.kind, filter.folded_namespace, filter.text,
               after_time, after_id, limit)) {
    artifacts.push_back({artifact(row), at<std::string>(row, "aliases")});
  }
  return artifacts;
}

ArtifactCounts count_versions(Transaction& tx, std::int64_t artifact_id) {
  const Row row = tx.exec_one(kCountVersions, artifact_id);
  return {.versions = at<std::int64_t>(row, "versions"),
          .yanked = at<std::int64_t>(row, "yanked"),
          .latest = at<std::optional<std::int32_t>>(row, "latest")};
}

}  // namespace mendel::schema
