#include "schema/versions.h"

#include <nlohmann/json.hpp>

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

// Every query for versions reads the same columns, and none finds a deleted one: they
// differ in how versions are found.
#define MENDEL_VERSIONS                                                                   \
  "select v.id, v.artifact_id, v.number, v.digest, v.size_bytes, v.file_count, v.state, " \
  "v.state_reason, v.created_at, v.created_by, v.message, v.labels, v.metrics, "          \
  "v.hyperparameters, coalesce(h.canonical, '') as canonical, "                           \
  "coalesce(v.source::text, '') as source, "                                              \
  "(select coalesce(json_agg(a.name order by a.folded_name), '[]') from alias a "         \
  "  where a.version_id = v.id) as aliases, "                                             \
  "coalesce(v.run_id::text, '') as run, "                                                 \
  "coalesce((select j.uuid::text from job j where j.id = v.job_id), '') as job, "         \
  "(select coalesce(json_agg(json_build_object("                                          \
  "   'role', e.role, 'name', e.name, 'uri', e.uri, "                                     \
  "   'ref', tn.name || '/' || ta.name || ':' || t.number, "                              \
  "   'digest', encode(coalesce(t.digest, e.digest), 'hex')) order by e.position)"        \
  "   ::text, '') "                                                                       \
  "   from pedigree_edge e left join version t on t.id = e.target_id "                    \
  "   left join artifact ta on ta.id = t.artifact_id "                                    \
  "   left join namespace tn on tn.id = ta.namespace_id "                                 \
  "  where e.version_id = v.id) as edges "                                                \
  "from version v left join hyperparameters h on h.digest = v.hyperparameters "           \
  "where v.state <> 'deleted' and "

constexpr Statement kFindVersion{"find_version",
                                 MENDEL_VERSIONS "v.artifact_id = $1 and v.number = $2"};

constexpr Statement kFindVersionById{"find_version_by_id", MENDEL_VERSIONS "v.id = $1"};

constexpr Statement kFindVersionByAlias{
    "find_version_by_alias", MENDEL_VERSIONS
    "v.id = (select version_id from alias where artifact_id = $1 and folded_name = $2)"};

constexpr Statement kFindVersionByDigest{
    "find_version_by_digest", MENDEL_VERSIONS
    "v.artifact_id = $1 and v.digest = $2 "
    "order by v.state = 'active' desc, v.number desc limit 1"};

constexpr Statement kFindLatestVersion{
    "find_latest_version", MENDEL_VERSIONS
    "v.artifact_id = $1 and v.state = 'active' order by v.number desc limit 1"};

constexpr Statement kListVersions{
    "list_versions",
    MENDEL_VERSIONS "v.artifact_id = $1 and v.number < $2 order by v.number desc limit $3"};

#undef MENDEL_VERSIONS

constexpr Statement kInsertVersion{"insert_version", R"sql(
  insert into version (artifact_id, number, digest, size_bytes, file_count, created_at,
                       created_by, message, labels, metrics, hyperparameters, source, run_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  returning id
)sql"};

constexpr Statement kInsertHyperparameters{"insert_hyperparameters_if_absent", R"sql(
  insert into hyperparameters (digest, canonical) values ($1, $2) on conflict do nothing
)sql"};

constexpr Statement kUpdateVersionState{"update_version_state", R"sql(
  update version set state = $2, state_reason = $3 where id = $1
)sql"};

constexpr Statement kFindPublishKey{"find_publish_key", R"sql(
  select request_digest, version_id, created
    from publish_key
   where principal_id = $1 and key = $2
)sql"};

constexpr Statement kInsertPublishKey{"insert_publish_key", R"sql(
  insert into publish_key (principal_id, key, request_digest, version_id, created, created_at)
  values ($1, $2, $3, $4, $5, $6)
)sql"};

constexpr Statement kDeletePublishKeysBefore{"delete_publish_keys_before", R"sql(
  delete from publish_key where created_at < $1
)sql"};

VersionRow version(const Row& row) {
  VersionRow version{
      .id = at<std::int64_t>(row, "id"),
      .artifact_id = at<std::int64_t>(row, "artifact_id"),
      .number = at<std::int32_t>(row, "number"),
      .digest = at<Digest>(row, "digest"),
      .size_bytes = at<std::int64_t>(row, "size_bytes"),
      .file_count = at<std::int64_t>(row, "file_count"),
      .state = at<std::string>(row, "state"),
      .state_reason = at<std::string>(row, "state_reason"),
      .created_at = at<Timestamp>(row, "created_at"),
      .created_by = at<std::string>(row, "created_by"),
      .message = at<std::string>(row, "message"),
      .labels = at<std::string>(row, "labels"),
      .metrics = at<std::string>(row, "metrics"),
      .hyperparameters_digest = at<std::optional<Digest>>(row, "hyperparameters"),
      .hyperparameters = at<std::string>(row, "canonical"),
      .source = at<std::string>(row, "source"),
      .run = at<std::string>(row, "run"),
      .job = at<std::string>(row, "job"),
      .aliases = {},
      .edges = at<std::string>(row, "edges")};
  const auto aliases = nlohmann::json::parse(at<std::string>(row, "aliases"));
  version.aliases = aliases.get<std::vector<std::string>>();
  return version;
}

std::optional<VersionRow> version(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return version(*row);
}

}  // namespace

std::optional<VersionRow> find_version(Transaction& tx, std::int64_t artifact_id,
                                       std::int32_t number) {
  return version(tx.exec_optional(kFindVersion, artifact_id, number));
}

std::optional<VersionRow> find_version_by_id(Transaction& tx, std::int64_t version_id) {
  return version(tx.exec_optional(kFindVersionById, version_id));
}

std::optional<VersionRow> find_version_by_alias(Transaction& tx, std::int64_t artifact_id,
                                                const std::string& folded_alias) {
  return version(tx.exec_optional(kFindVersionByAlias, artifact_id, folded_alias));
}

std::optional<VersionRow> find_version_by_digest(Transaction& tx, std::int64_t artifact_id,
                                                 const Digest& digest) {
  return version(tx.exec_optional(kFindVersionByDigest, artifact_id, digest));
}

std::optional<VersionRow> find_latest_version(Transaction& tx, std::int64_t artifact_id) {
  return version(tx.exec_optional(kFindLatestVersion, artifact_id));
}

std::vector<VersionRow> list_versions(Transaction& tx, std::int64_t artifact_id,
                                      std::int32_t before, std::int64_t limit) {
  std::vector<VersionRow> versions;
  for (const Row& row : tx.exec(kListVersions, artifact_id, before, limit)) {
    versions.push_back(version(row));
  }
  return versions;
}

std::int64_t insert_version(Transaction& tx, const NewVersion& version) {
  const Row row =
      tx.exec_one(kInsertVersion, version.artifact_id, version.number, version.digest,
                  version.size_bytes, version.file_count, version.created_at,
                  version.created_by, version.message, version.labels, version.metrics,
                  version.hyperparameters_digest, version.source, version.run);
  return at<std::int64_t>(row, "id");
}

void insert_hyperparameters_if_absent(Transaction& tx, std::int64_t /*namespace_id*/,
                                      const Digest& digest, const std::string& canonical) {
  tx.exec(kInsertHyperparameters, digest, canonical);
}

void update_version_state(Transaction& tx, std::int64_t version_id,
                          const std::string& state, const std::string& reason) {
  tx.exec(kUpdateVersionState, version_id, state, reason);
}

std::optional<PublishKeyRow> find_publish_key(Transaction& tx, std::int64_t principal_id,
                                              const std::string& key) {
  const auto row = tx.exec_optional(kFindPublishKey, principal_id, key);
  if (!row) return std::nullopt;
  return PublishKeyRow{.request_digest = at<Digest>(*row, "request_digest"),
                       .version_id = at<std::int64_t>(*row, "version_id"),
                       .created = at<bool>(*row, "created")};
}

void insert_publish_key(Transaction& tx, std::int64_t principal_id, const std::string& key,
                        const PublishKeyRow& row, Timestamp now) {
  tx.exec(kInsertPublishKey, principal_id, key, row.request_digest, row.version_id,
          row.created, now);
}

void delete_publish_keys_before(Transaction& tx, Timestamp time) {
  tx.exec(kDeletePublishKeysBefore, time);
}

}  // namespace mendel::schema
