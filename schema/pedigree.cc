#include "schema/pedigree.h"

#include <nlohmann/json.hpp>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// What a viewer sees, with its four parameters from $1 on; n is the namespace.
#define MENDEL_SEEN                                                       \
  "(n.visibility = 'public' "                                             \
  " or (($1::bigint is null or n.id = $1) "                               \
  "     and ($2::boolean or ($3::boolean and n.visibility = 'internal') " \
  "          or exists (select from membership m "                        \
  "                      where m.namespace_id = n.id and m.principal_id = $4::bigint)))) "

#define MENDEL_KEY                                                                    \
  "v.id, a.namespace_id, n.name as namespace_name, a.name as artifact_name, a.kind, " \
  "v.number, v.digest "

constexpr Statement kFindKeys{"find_version_keys",
                              "select asked.position, " MENDEL_KEY R"sql(
    from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::bytea[])
         with ordinality as asked (namespace, name, number, alias, digest, position)
    join namespace n on n.folded_name = asked.namespace
    join artifact a on a.namespace_id = n.id and a.folded_name = asked.name
    join lateral (
      select * from version
       where asked.number is not null
         and artifact_id = a.id and number = asked.number and state <> 'deleted'
      union all
      select version.* from alias join version on version.id = alias.version_id
       where asked.alias is not null
         and alias.artifact_id = a.id and alias.folded_name = asked.alias
         and state <> 'deleted'
      union all
      (select * from version
        where asked.digest is not null
          and artifact_id = a.id and digest = asked.digest and state <> 'deleted'
        order by state = 'active' desc, number desc limit 1)
      union all
      (select * from version
        where asked.number is null and asked.alias is null and asked.digest is null
          and artifact_id = a.id and state = 'active'
        order by number desc limit 1)
    ) v on true
)sql"};

constexpr Statement kShareVersions{"share_versions", R"sql(
  select id from version where id = any ($1::bigint[]) and state <> 'deleted'
   order by id for share
)sql"};

constexpr Statement kInsertEdges{"insert_edges", R"sql(
  insert into pedigree_edge (version_id, position, role, name, target_id, uri, digest)
  select $1, position, role, name, target_id, uri, digest
    from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[])
         with ordinality as edge (role, name, target_id, uri, digest, position)
)sql"};

constexpr Statement kListEdgesOf{"list_edges_of", R"sql(
  select role, name, target_id, uri, digest
    from pedigree_edge where version_id = $1 order by position
)sql"};

constexpr Statement kListEdgesFrom{
    "list_edges_from",
    "select e.version_id as from_id, e.position, e.target_id as to_id, e.role, e.name, "
    "coalesce(e.uri, '') as uri, e.digest, e.target_id is null or " MENDEL_SEEN
    "as is_far_seen "
    "from unnest($5::bigint[]) with ordinality as level (id, position) "
    "join lateral (select * from pedigree_edge where version_id = level.id "
    "                 and (level.position > 1 or (version_id, position) > ($8::bigint, "
    "$9)) "
    "               order by position limit $7) e on true "
    "left join version v on v.id = e.target_id "
    "left join artifact a on a.id = v.artifact_id "
    "left join namespace n on n.id = a.namespace_id "
    "where e.version_id <= $6::bigint "
    "order by level.position, e.position limit $7"};

constexpr Statement kListEdgesTo{
    "list_edges_to",
    "select e.version_id as from_id, e.position, e.target_id as to_id, e.role, e.name, "
    "'' as uri, null::bytea as digest, " MENDEL_SEEN
    "as is_far_seen "
    "from unnest($5::bigint[]) with ordinality as level (id, position) "
    "join lateral (select edge.*, v.artifact_id from pedigree_edge edge "
    "                join version v on v.id = edge.version_id and v.state <> 'deleted' "
    "               where edge.target_id = level.id and edge.version_id <= $6::bigint "
    "                 and edge.version_id >= case level.position when 1 then $8::bigint "
    "                                                            else 0 end "
    "                 and (level.position > 1 "
    "                      or (edge.version_id, edge.position) > ($8::bigint, $9)) "
    "               order by edge.version_id, edge.position limit $7) e on true "
    "join artifact a on a.id = e.artifact_id "
    "join namespace n on n.id = a.namespace_id "
    "order by level.position, e.version_id, e.position limit $7"};

constexpr Statement kNewestVersionId{"newest_version_id",
                                     "select coalesce(max(id), 0) as id from version"};

#define MENDEL_NODES                                                         \
  "select " MENDEL_KEY                                                       \
  ", v.state, coalesce(v.run_id::text, '') as run, "                         \
  "coalesce(v.source ->> 'commit', '') as commit, "                          \
  "(select coalesce(json_agg(alias.name order by alias.folded_name), '[]') " \
  "   from alias where alias.version_id = v.id) as aliases "                 \
  "from version v join artifact a on a.id = v.artifact_id "                  \
  "join namespace n on n.id = a.namespace_id "

constexpr Statement kFindNodes{"find_nodes",
                               MENDEL_NODES "where v.id = any ($1::bigint[])"};

constexpr Statement kListDependents{
    "list_dependents",
    "select " MENDEL_KEY ", " MENDEL_SEEN
    "as is_seen from version v join artifact a on a.id = v.artifact_id "
    "join namespace n on n.id = a.namespace_id "
    "where v.state <> 'deleted' "
    "and v.id in (select version_id from pedigree_edge where target_id = $5) "
    "order by v.id desc limit $6"};

constexpr Statement kListCommits{
    "list_commits",
    "select v.source ->> 'commit' as commit "
    "from version v join artifact a on a.id = v.artifact_id "
    "join namespace n on n.id = a.namespace_id "
    "where v.source is not null and v.state <> 'deleted' "
    "and (v.source ->> 'commit') collate \"C\" >= $5 "
    "and (v.source ->> 'commit') collate \"C\" < $5 || 'g' and " MENDEL_SEEN
    "union select r.source ->> 'commit' "
    "from run r join namespace n on n.id = r.namespace_id "
    "where r.source is not null "
    "and (r.source ->> 'commit') collate \"C\" >= $5 "
    "and (r.source ->> 'commit') collate \"C\" < $5 || 'g' and " MENDEL_SEEN
    "order by commit limit $6"};

constexpr Statement kListRunsOfCommit{
    "list_runs_of_commit",
    "select r.uuid::text, n.name as namespace_name, r.name, r.status "
    "from run r join namespace n on n.id = r.namespace_id "
    "where r.source is not null and (r.source ->> 'commit') collate \"C\" = $5 "
    "and " MENDEL_SEEN "order by r.id desc limit $6"};

constexpr Statement kListVersionsOfCommit{
    "list_versions_of_commit", MENDEL_NODES
    "where v.source is not null and v.state <> 'deleted' "
    "and (v.source ->> 'commit') collate \"C\" = $5 and v.id < $6 and " MENDEL_SEEN
    "order by v.id desc limit $7"};

#undef MENDEL_SEEN
#undef MENDEL_NODES
#undef MENDEL_KEY

VersionKey version_key(const Row& row) {
  return {.id = at<std::int64_t>(row, "id"),
          .namespace_id = at<std::int64_t>(row, "namespace_id"),
          .namespace_name = at<std::string>(row, "namespace_name"),
          .artifact_name = at<std::string>(row, "artifact_name"),
          .kind = at<std::string>(row, "kind"),
          .number = at<std::int32_t>(row, "number"),
          .digest = at<Digest>(row, "digest")};
}

NodeRow node(const Row& row) {
  return {.version = version_key(row),
          .state = at<std::string>(row, "state"),
          .run = at<std::string>(row, "run"),
          .commit = at<std::string>(row, "commit"),
          .aliases = nlohmann::json::parse(at<std::string>(row, "aliases"))
                         .get<std::vector<std::string>>()};
}

std::vector<EdgeRow> edges(const Rows& rows) {
  std::vector<EdgeRow> edges;
  edges.reserve(rows.size());
  for (const Row& row : rows) {
    edges.push_back({.from = at<std::int64_t>(row, "from_id"),
                     .position = at<std::int32_t>(row, "position"),
                     .to = at<std::optional<std::int64_t>>(row, "to_id"),
                     .role = at<std::string>(row, "role"),
                     .name = at<std::string>(row, "name"),
                     .uri = at<std::string>(row, "uri"),
                     .digest = at<std::optional<Digest>>(row, "digest"),
                     .is_far_seen = at<bool>(row, "is_far_seen")});
  }
  return edges;
}

}  // namespace

std::string VersionKey::reference() const {
  return namespace_name + "/" + artifact_name + ":" + std::to_string(number);
}

std::vector<std::optional<VersionKey>> find_version_keys(
    Transaction& tx, std::span<const VersionQuestion> questions) {
  std::vector<std::optional<VersionKey>> keys(questions.size());
  if (questions.empty()) return keys;
  for (const Row& row :
       tx.exec(kFindKeys, array_of(questions, &VersionQuestion::folded_namespace),
               array_of(questions, &VersionQuestion::folded_name),
               array_of(questions, &VersionQuestion::number),
               array_of(questions, &VersionQuestion::folded_alias),
               array_of(questions, &VersionQuestion::digest))) {
    keys.at(static_cast<std::size_t>(at<std::int64_t>(row, "position") - 1)) =
        version_key(row);
  }
  return keys;
}

bool share_versions(Transaction& tx, std::span<const std::int64_t> version_ids) {
  if (version_ids.empty()) return true;
  const Rows rows = tx.exec(kShareVersions, array_of(version_ids));
  return rows.size() == version_ids.size();
}

void insert_edges(Transaction& tx, std::int64_t version_id,
                  std::span<const NewEdge> edges) {
  if (edges.empty()) return;
  tx.exec(kInsertEdges, version_id, array_of(edges, &NewEdge::role),
          array_of(edges, &NewEdge::name), array_of(edges, &NewEdge::target_id),
          array_of(edges, &NewEdge::uri), array_of(edges, &NewEdge::digest));
}

std::vector<NewEdge> list_edges_of(Transaction& tx, std::int64_t version_id) {
  std::vector<NewEdge> edges;
  for (const Row& row : tx.exec(kListEdgesOf, version_id)) {
    edges.push_back({.role = at<std::string>(row, "role"),
                     .name = at<std::string>(row, "name"),
                     .target_id = at<std::optional<std::int64_t>>(row, "target_id"),
                     .uri = at<std::optional<std::string>>(row, "uri"),
                     .digest = at<std::optional<Digest>>(row, "digest")});
  }
  return edges;
}

std::vector<EdgeRow> list_edges_from(Transaction& tx, const NamespaceViewer& viewer,
                                     std::span<const std::int64_t> versions,
                                     const EdgePage& page) {
  return edges(tx.exec(kListEdgesFrom, viewer.only_namespace, viewer.sees_all,
                       viewer.sees_internal, viewer.member, array_of(versions), page.newest,
                       page.limit, page.after.from, page.after.position));
}

std::vector<EdgeRow> list_edges_to(Transaction& tx, const NamespaceViewer& viewer,
                                   std::span<const std::int64_t> versions,
                                   const EdgePage& page) {
  return edges(tx.exec(kListEdgesTo, viewer.only_namespace, viewer.sees_all,
                       viewer.sees_internal, viewer.member, array_of(versions), page.newest,
                       page.limit, page.after.from, page.after.position));
}

std::int64_t newest_version_id(Transaction& tx) {
  return at<std::int64_t>(tx.exec_one(kNewestVersionId), "id");
}

std::vector<NodeRow> find_nodes(Transaction& tx, std::span<const std::int64_t> versions) {
  std::vector<NodeRow> nodes;
  for (const Row& row : tx.exec(kFindNodes, array_of(versions))) nodes.push_back(node(row));
  return nodes;
}

std::vector<DependentRow> list_dependents(Transaction& tx, const NamespaceViewer& viewer,
                                          std::int64_t version_id, std::int64_t limit) {
  std::vector<DependentRow> dependents;
  for (const Row& row : tx.exec(kListDependents, viewer.only_namespace, viewer.sees_all,
                                viewer.sees_internal, viewer.member, version_id, limit)) {
    dependents.push_back({version_key(row), at<bool>(row, "is_seen")});
  }
  return dependents;
}

std::vector<std::string> list_commits(Transaction& tx, const NamespaceViewer& viewer,
                                      const std::string& prefix, std::int64_t limit) {
  std::vector<std::string> commits;
  for (const Row& row : tx.exec(kListCommits, viewer.only_namespace, viewer.sees_all,
                                viewer.sees_internal, viewer.member, prefix, limit)) {
    commits.push_back(at<std::string>(row, "commit"));
  }
  return commits;
}

std::vector<CommitRunRow> list_runs_of_commit(Transaction& tx,
                                              const NamespaceViewer& viewer,
                                              const std::string& commit,
                                              std::int64_t limit) {
  std::vector<CommitRunRow> runs;
  for (const Row& row : tx.exec(kListRunsOfCommit, viewer.only_namespace, viewer.sees_all,
                                viewer.sees_internal, viewer.member, commit, limit)) {
    runs.push_back({.uuid = at<std::string>(row, "uuid"),
                    .namespace_name = at<std::string>(row, "namespace_name"),
                    .name = at<std::string>(row, "name"),
                    .status = at<std::string>(row, "status")});
  }
  return runs;
}

std::vector<NodeRow> list_versions_of_commit(Transaction& tx, const NamespaceViewer& viewer,
                                             const std::string& commit, std::int64_t before,
                                             std::int64_t limit) {
  std::vector<NodeRow> nodes;
  for (const Row& row :
       tx.exec(kListVersionsOfCommit, viewer.only_namespace, viewer.sees_all,
               viewer.sees_internal, viewer.member, commit, before, limit)) {
    nodes.push_back(node(row));
  }
  return nodes;
}

}  // namespace mendel::schema
