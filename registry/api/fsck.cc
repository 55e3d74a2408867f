#include "registry/api/fsck.h"

#include "registry/api/json.h"
#include "registry/services/fsck.h"

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

}  // namespace mendel::registry::api
