#include "registry/api/fsck.h"

#include "registry/api/json.h"
#include "registry/services/fsck.h"
#include "registry/services/ledger/ledger_check.h"
#include "storage/base/clock.h"

namespace mendel::registry::api {

Response rebuild_index(const Request& request, Services& services) {
  ObjectReader body(request.body().empty() ? nlohmann::json::object() : request.json());
  const bool everything = body.optional_boolean("verify_everything").value_or(false);
  body.finish();

  const RebuildReport report = services.fsck.rebuild_index(
      everything ? Verify::everything : Verify::blobs_of_chunks);
  return json_response(200, {{"packs", report.packs},
                             {"blobs", report.blobs},
                             {"manifests", report.manifests},
                             {"attached", report.attached},
                             {"problems", report.problems}});
}

Response check_ledger(const Request& request, Services& services) {
  if (!request.body().empty()) ObjectReader(request.json()).finish();

  const LedgerCheckReport report = services.ledger_check.run();
  return json_response(200, {{"batches", report.batches},
                             {"entries", report.entries},
                             {"head",
                              {{"sequence", report.head.sequence},
                               {"entries", report.head.entry_count},
                               {"recorded_at", format_rfc3339(report.head.recorded_at)},
                               {"hash", report.head.hash.to_string()}}},
                             {"problems", report.problems}});
}

}  // namespace mendel::registry::api
