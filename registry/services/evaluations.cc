#include "registry/services/evaluations.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "registry/services/past.h"
#include "registry/services/triggers/events.h"
#include "schema/pedigree.h"
#include "storage/base/error.h"
#include "storage/base/uuid.h"

namespace mendel::registry {

std::optional<schema::EvaluationRow> EvaluationService::find_earlier(
    const std::string& uuid, const Digest& request) {
  auto found = database_.read("find an evaluation", [&](schema::Transaction& tx) {
    return schema::find_evaluation(tx, uuid);
  });
  if (found && found->request_digest != request) {
    throw Error(ErrorCode::unprocessable, "this id was used for another evaluation before",
                {{"/id", "was used for another evaluation before"}});
  }
  return found;
}

EvaluationService::Recorded EvaluationService::record(const Caller& caller,
                                                      const Request& request) {
  const Timestamp now = clock_.now();
  if (request.measured_at) require_past(*request.measured_at, now, "/measured_at");
  const std::string uuid = request.uuid.value_or(make_uuid_v7(now));
  const schema::NewEvaluation evaluation{.uuid = uuid,
                                         .version_id = request.version,
                                         .dataset_version_id = request.dataset,
                                         .request_digest = request.digest,
                                         .metrics = request.metrics,
                                         .labels = request.labels,
                                         .measured_at = request.measured_at.value_or(now),
                                         .recorded_at = now,
                                         .recorded_by = caller.name};
  std::vector<VersionId> named{request.version};
  if (request.dataset && *request.dataset != request.version) {
    named.push_back(*request.dataset);
  }
  std::ranges::sort(named);
  const bool is_new =
      database_.transact("record an evaluation", [&](schema::Transaction& tx) {
        if (!schema::share_versions(tx, named)) {
          throw Error(ErrorCode::not_found, "a version was deleted meanwhile");
        }
        if (!schema::insert_evaluation(tx, evaluation)) return false;
        record_evaluation(tx, caller,
                          {.version = request.version,
                           .dataset = request.dataset,
                           .uuid = uuid,
                           .metrics = request.metrics});
        return true;
      });
  changes_.announce(kEventsTopic);
  return {*find_earlier(uuid, request.digest), is_new};
}

Page<schema::EvaluationRow> EvaluationService::list(VersionId version,
                                                    const PageRequest& page) {
  auto rows = database_.read("list evaluations", [&](schema::Transaction& tx) {
    return schema::list_evaluations(tx, version, id_after(page),
                                    static_cast<std::int64_t>(page.limit) + 1);
  });
  return page_of<schema::EvaluationRow>(
      std::move(rows), page, [](const schema::EvaluationRow& row) { return row; },
      [](const schema::EvaluationRow& row) { return std::to_string(row.id); });
}

}  // namespace mendel::registry
