#include "schema/evaluations.h"

#include "schema/transaction.h"

namespace mendel::schema {

namespace {

constexpr Statement kInsertEvaluation{"insert_evaluation", R"sql(
  insert into evaluation (uuid, version_id, dataset_version_id, request_digest, metrics,
                          labels, measured_at, recorded_at, recorded_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  on conflict on constraint evaluation_uuid_is_unique do nothing
)sql"};

#define MENDEL_EVALUATIONS                                                            \
  "select e.id, e.uuid::text, e.version_id, e.dataset_version_id, e.request_digest, " \
  "e.metrics, e.labels, e.measured_at, e.recorded_at, e.recorded_by, "                \
  "coalesce(a.namespace_id, 0) as dataset_namespace_id, "                             \
  "coalesce(n.name || '/' || a.name || ':' || d.number, '') as dataset, "             \
  "d.digest as dataset_digest "                                                       \
  "from evaluation e left join version d on d.id = e.dataset_version_id "             \
  "left join artifact a on a.id = d.artifact_id "                                     \
  "left join namespace n on n.id = a.namespace_id where "

constexpr Statement kFindEvaluation{"find_evaluation", MENDEL_EVALUATIONS "e.uuid = $1"};

constexpr Statement kListEvaluations{
    "list_evaluations", MENDEL_EVALUATIONS
    "e.version_id = $1 and ($2::bigint is null or e.id < $2) order by e.id desc limit $3"};

#undef MENDEL_EVALUATIONS

EvaluationRow evaluation(const Row& row) {
  EvaluationRow found;
  found.id = at<std::int64_t>(row, "id");
  found.uuid = at<std::string>(row, "uuid");
  found.version_id = at<std::int64_t>(row, "version_id");
  found.dataset_version_id = at<std::optional<std::int64_t>>(row, "dataset_version_id");
  found.request_digest = at<Digest>(row, "request_digest");
  found.metrics = at<std::string>(row, "metrics");
  found.labels = at<std::string>(row, "labels");
  found.measured_at = at<Timestamp>(row, "measured_at");
  found.recorded_at = at<Timestamp>(row, "recorded_at");
  found.recorded_by = at<std::string>(row, "recorded_by");
  found.dataset_namespace_id = at<std::int64_t>(row, "dataset_namespace_id");
  found.dataset = at<std::string>(row, "dataset");
  found.dataset_digest = at<std::optional<Digest>>(row, "dataset_digest");
  return found;
}

}  // namespace

bool insert_evaluation(Transaction& tx, const NewEvaluation& evaluation) {
  return tx.exec_counting(kInsertEvaluation, evaluation.uuid, evaluation.version_id,
                          evaluation.dataset_version_id, evaluation.request_digest,
                          evaluation.metrics, evaluation.labels, evaluation.measured_at,
                          evaluation.recorded_at, evaluation.recorded_by) == 1;
}

std::optional<EvaluationRow> find_evaluation(Transaction& tx, std::string_view uuid) {
  const auto row = tx.exec_optional(kFindEvaluation, uuid);
  if (!row) return std::nullopt;
  return evaluation(*row);
}

std::vector<EvaluationRow> list_evaluations(Transaction& tx, std::int64_t version_id,
                                            std::optional<std::int64_t> before,
                                            std::int64_t limit) {
  std::vector<EvaluationRow> evaluations;
  for (const Row& row : tx.exec(kListEvaluations, version_id, before, limit)) {
    evaluations.push_back(evaluation(row));
  }
  return evaluations;
}

}  // namespace mendel::schema
