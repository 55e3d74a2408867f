#include "registry/api/purge.h"

#include <algorithm>

#include "registry/api/json.h"
#include "registry/services/purge.h"
#include "registry/services/versions.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kBlobsShownMax = 1000;
constexpr std::size_t kVersionsShownMax = 1000;

struct Asked {
  std::optional<Digest> digest;
  std::optional<Reference> ref;
  std::optional<std::string> path;  // of all files of ref, this one alone
  std::string reason;
  bool dry_run = false;
};

Asked read_body(const Request& request) {
  ObjectReader body(request.json());
  Asked asked{.digest = body.optional_digest("digest"),
              .ref = body.parsed("ref", Reference::parse),
              .path = body.optional_string("path"),
              .reason = body.required_string("reason"),
              .dry_run = body.optional_boolean("dry_run").value_or(false)};
  if (body.has("digest") == body.has("ref")) {
    body.problem("ref", "either a digest or a ref must be there");
  }
  if (asked.path && !body.has("ref")) body.problem("path", "is of a ref");
  if (body.has("reason") && asked.reason.empty()) body.problem("reason", "must say why");
  body.finish();
  return asked;
}

struct Target {
  std::string subject;
  std::vector<Digest> digests;  // each once
};

Target stored_files(const Asked& asked, Services& services) {
  const auto record =
      services.versions.get_of_any_kind(asked.ref->artifact, asked.ref->version);
  const std::string reference = record->version.reference();
  Target target{asked.path ? reference + " " + *asked.path : reference, {}};
  const auto manifest = services.versions.manifest(record->version);
  for (const auto& file : manifest->manifest().files) {
    if (!file.digest || (asked.path && file.path != *asked.path)) continue;
    target.digests.push_back(*file.digest);
  }
  if (target.digests.empty()) {
    throw Error(ErrorCode::not_found,
                asked.path ? reference + " has no stored file '" + *asked.path + "'"
                           : reference + " has no stored files of its own");
  }
  std::ranges::sort(target.digests);
  const auto repeated = std::ranges::unique(target.digests);
  target.digests.erase(repeated.begin(), repeated.end());
  return target;
}

Target target_of(const Asked& asked, Services& services) {
  if (asked.ref) return stored_files(asked, services);
  return {asked.digest->to_string(), {*asked.digest}};
}

json to_json(const PurgeService::Plan& plan) {
  json blobs = json::array();
  std::uint64_t size_bytes = 0;
  for (const auto& blob : plan.blobs) {
    size_bytes += blob.size_bytes;
    if (blobs.size() == kBlobsShownMax) continue;
    blobs.push_back({{"digest", blob.digest.to_string()},
                     {"size_bytes", blob.size_bytes},
                     {"namespaces", blob.namespaces}});
  }
  json versions = json::array();
  for (const auto& user : plan.users) {
    if (versions.size() == kVersionsShownMax) break;
    versions.push_back({{"ref", user.reference},
                        {"state", user.state},
                        {"aliases", user.aliases},
                        {"paths", user.paths},
                        {"path_count", user.path_count}});
  }
  return {{"blobs", std::move(blobs)},
          {"blob_count", plan.blobs.size()},
          {"size_bytes", size_bytes},
          {"versions", std::move(versions)},
          {"version_count", plan.users.size()}};
}

json to_json(const PurgedBytes& bytes) {
  return {{"packs_rewritten", bytes.packs_rewritten},
          {"packs_removed", bytes.packs_removed},
          {"records_removed", bytes.records_removed},
          {"bytes_removed", bytes.bytes_removed},
          {"chunks_kept", bytes.chunks_kept},
          {"bytes_kept", bytes.bytes_kept},
          {"problems", bytes.problems}};
}

}  // namespace

// POST /api/v1/admin/purge
Response purge_blobs(const Request& request, Services& services) {
  const Asked asked = read_body(request);

  const Target target = target_of(asked, services);
  const auto plan = services.purge.plan(target.digests);
  json answer = to_json(plan);
  answer["dry_run"] = asked.dry_run;
  if (asked.dry_run) return json_response(200, answer);

  services.purge.bury(request.caller(), plan, target.subject, asked.reason);
  const auto outcome = services.purge.remove_bytes();

  answer["complete"] = outcome.is_complete;
  answer["removed"] = to_json(outcome.bytes);
  return json_response(200, answer);
}

}  // namespace mendel::registry::api
