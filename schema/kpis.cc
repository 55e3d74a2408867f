#include "schema/kpis.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertKpi{"insert_kpi", R"sql(
  insert into kpi (name, revision, created_at) values ($1, 0, $2)
  on conflict on constraint kpi_name_is_unique_ignoring_case do nothing
  returning id
)sql"};

constexpr Statement kFindKpi{"find_kpi", R"sql(
  select id, name, revision from kpi where folded_name = $1
)sql"};

constexpr Statement kLockKpi{"lock_kpi", R"sql(
  select id, name, revision from kpi where folded_name = $1 for no key update
)sql"};

constexpr Statement kUpdateKpiRevision{"update_kpi_revision", R"sql(
  update kpi set revision = $2 where id = $1
)sql"};

// Touches the row that is there, so that it is returned.
constexpr Statement kUpsertKpiCounting{"upsert_kpi_counting", R"sql(
  insert into kpi_counting (kpi_id, rule) values ($1, $2)
  on conflict on constraint kpi_counting_is_unique do update set rule = excluded.rule
  returning id
)sql"};

constexpr Statement kHoldBook{"hold_book", R"sql(
  select recorded_at from kpi_head for no key update
)sql"};

constexpr Statement kInsertKpiDefinition{"insert_kpi_definition", R"sql(
  insert into kpi_definition (kpi_id, revision, document, counting_id, defined_at,
                              defined_by)
  values ($1, $2, $3, $4, $5, $6)
)sql"};

#define MENDEL_KPI_DEFINITIONS                                               \
  "select d.kpi_id, k.name, d.revision, d.document, d.counting_id, c.rule, " \
  "d.defined_at, d.defined_by "                                              \
  "from kpi k join kpi_definition d on d.kpi_id = k.id "                     \
  "join kpi_counting c on c.id = d.counting_id "

constexpr Statement kFindNewestKpiDefinition{
    "find_newest_kpi_definition",
    MENDEL_KPI_DEFINITIONS "where k.folded_name = $1 and d.revision = k.revision"};

constexpr Statement kListNewestKpiDefinitions{
    "list_newest_kpi_definitions", MENDEL_KPI_DEFINITIONS
    "where d.revision = k.revision order by k.folded_name collate \"C\""};

constexpr Statement kListKpiRevisions{"list_kpi_revisions", MENDEL_KPI_DEFINITIONS
                                      "where d.kpi_id = $1 order by d.revision desc"};

constexpr Statement kListKpiDefinitionsAt{
    "list_kpi_definitions_at", MENDEL_KPI_DEFINITIONS
    "where d.revision = (select coalesce(max(e.revision), 1) from kpi_definition e "
    "                     where e.kpi_id = k.id and e.defined_at <= $1) "
    "order by k.folded_name collate \"C\""};

#undef MENDEL_KPI_DEFINITIONS

std::optional<KpiRow> kpi(const std::optional<Row>& row) {
  if (!row) return std::nullopt;
  return KpiRow{.id = at<std::int64_t>(*row, "id"),
                .name = at<std::string>(*row, "name"),
                .revision = at<std::int32_t>(*row, "revision")};
}

KpiDefinitionRow definition(const Row& row) {
  return {.kpi_id = at<std::int64_t>(row, "kpi_id"),
          .name = at<std::string>(row, "name"),
          .revision = at<std::int32_t>(row, "revision"),
          .document = at<std::string>(row, "document"),
          .counting_id = at<std::int64_t>(row, "counting_id"),
          .rule = at<std::string>(row, "rule"),
          .defined_at = at<Timestamp>(row, "defined_at"),
          .defined_by = at<std::string>(row, "defined_by")};
}

std::vector<KpiDefinitionRow> definitions(const Rows& rows) {
  std::vector<KpiDefinitionRow> found;
  for (const Row& row : rows) found.push_back(definition(row));
  return found;
}

}  // namespace

std::optional<std::int64_t> insert_kpi(Transaction& tx, const std::string& name,
                                       Timestamp time) {
  const auto row = tx.exec_optional(kInsertKpi, name, time);
  if (!row) return std::nullopt;
  return at<std::int64_t>(*row, "id");
}

std::optional<KpiRow> find_kpi(Transaction& tx, const std::string& folded) {
  return kpi(tx.exec_optional(kFindKpi, folded));
}

std::optional<KpiRow> lock_kpi(Transaction& tx, const std::string& folded) {
  return kpi(tx.exec_optional(kLockKpi, folded));
}

void update_kpi_revision(Transaction& tx, std::int64_t id, std::int32_t revision) {
  tx.exec(kUpdateKpiRevision, id, revision);
}

std::int64_t upsert_kpi_counting(Transaction& tx, std::int64_t kpi_id,
                                 const std::string& rule) {
  return at<std::int64_t>(tx.exec_one(kUpsertKpiCounting, kpi_id, rule), "id");
}

Timestamp hold_book(Transaction& tx) {
  return at<Timestamp>(tx.exec_one(kHoldBook), "recorded_at");
}

void insert_kpi_definition(Transaction& tx, const KpiDefinitionRow& row) {
  tx.exec(kInsertKpiDefinition, row.kpi_id, row.revision, row.document, row.counting_id,
          row.defined_at, row.defined_by);
}

std::optional<KpiDefinitionRow> find_newest_kpi_definition(Transaction& tx,
                                                           const std::string& folded) {
  const auto row = tx.exec_optional(kFindNewestKpiDefinition, folded);
  if (!row) return std::nullopt;
  return definition(*row);
}

std::vector<KpiDefinitionRow> list_newest_kpi_definitions(Transaction& tx) {
  return definitions(tx.exec(kListNewestKpiDefinitions));
}

std::vector<KpiDefinitionRow> list_kpi_revisions(Transaction& tx, std::int64_t kpi_id) {
  return definitions(tx.exec(kListKpiRevisions, kpi_id));
}

std::vector<KpiDefinitionRow> list_kpi_definitions_at(Transaction& tx, Timestamp time) {
  return definitions(tx.exec(kListKpiDefinitionsAt, time));
}

}  // namespace mendel::schema
