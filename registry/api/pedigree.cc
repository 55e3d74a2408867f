#include "registry/api/pedigree.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "registry/api/commit_prefix.h"
#include "registry/api/content_answer.h"
#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/services/blobs.h"
#include "registry/services/page.h"
#include "registry/services/pedigree.h"
#include "registry/services/versions.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kEdgesOnAPage = 1000;

PedigreeService::Direction asked_direction(const Request& request) {
  const auto text = request.query("direction").value_or("up");
  if (text == "up") return PedigreeService::Direction::up;
  if (text == "down") return PedigreeService::Direction::down;
  throw Error(ErrorCode::invalid_argument, "direction is up or down");
}

std::optional<std::int32_t> asked_depth(const Request& request) {
  const auto text = request.query("depth");
  if (!text) return std::nullopt;
  std::int32_t depth = 0;
  const auto [end, status] =
      std::from_chars(text->data(), text->data() + text->size(), depth);
  if (status != std::errc() || end != text->data() + text->size() || depth < 0) {
    throw Error(ErrorCode::invalid_argument, "depth is a whole number from 0");
  }
  return depth;
}

// A graph is easier to read whole than a list, so a page of it is as large as one may be.
std::size_t asked_edges(const Request& request) {
  return request.query("limit") ? request.limit() : kEdgesOnAPage;
}

json to_json(const schema::NodeRow& node) {
  json document{{"ref", node.version.reference()},
                {"kind", node.version.kind},
                {"digest", node.version.digest.to_string()},
                {"state", node.state},
                {"aliases", node.aliases}};
  if (!node.run.empty()) document["run"] = node.run;
  if (!node.commit.empty()) document["commit"] = node.commit;
  return document;
}

json to_json(const PedigreeService::Node& node) {
  json document;
  if (node.version) {
    document = to_json(*node.version);
  } else {
    document["uri"] = node.uri;
    document["verifiable"] = node.digest.has_value();
    if (node.digest) document["digest"] = node.digest->to_string();
  }
  document["depth"] = node.depth;
  return document;
}

json to_json(const PedigreeService::Edge& edge) {
  json document{{"from", edge.from}, {"to", edge.to}, {"role", edge.role}};
  if (!edge.name.empty()) document["name"] = edge.name;
  return document;
}

}  // namespace

Response get_pedigree(const Request& request, Services& services) {
  const PedigreeService::Question question{.direction = asked_direction(request),
                                           .depth = asked_depth(request),
                                           .limit = asked_edges(request),
                                           .after = request.after()};
  const auto root =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const auto page = services.pedigree.walk(request.caller(), root->version, question);

  json document{
      {"nodes", json::array()}, {"edges", json::array()}, {"hidden", page.hidden}};
  for (const auto& node : page.nodes) document["nodes"].push_back(to_json(node));
  for (const auto& edge : page.edges) document["edges"].push_back(to_json(edge));
  if (page.next) document["next"] = *page.next;
  return with_etag(request, json_response(200, document));
}

Response get_commit(const Request& request, Services& services) {
  const auto found = services.pedigree.find_commit(
      request.caller(), commit_prefix(request.path("sha")), request.limit(),
      id_after({request.limit(), request.after()}));
  json document{
      {"commit", found.commit}, {"versions", json::array()}, {"runs", json::array()}};
  for (const auto& version : found.versions)
    document["versions"].push_back(to_json(version));
  for (const auto& run : found.runs) {
    document["runs"].push_back({{"id", run.uuid},
                                {"namespace", run.namespace_name},
                                {"name", run.name},
                                {"status", run.status}});
  }
  if (found.next) document["next"] = *found.next;
  return with_etag(request, json_response(200, document));
}

Response get_patch(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const Version& version = record->version;
  const json source = version.source.empty() ? json::object() : json::parse(version.source);
  if (!source.contains("patch")) {
    throw Error(ErrorCode::not_found, version.reference() + " has no patch");
  }
  const Digest digest = Digest::parse(source["patch"].get<std::string>());
  const BlobPlace blob = services.blobs.get_named(version.namespace_id, digest);

  Response response;
  response.headers.set("Content-Type", "text/x-diff");
  response.headers.set("ETag", strong_tag(digest.to_string()));
  response.headers.set("Repr-Digest", repr_digest(digest));
  set_version_headers(response.headers, version);
  set_cache_control(response.headers, request);
  set_attachment(response.headers, "source.patch");
  if (request.none_match(strong_tag(digest.to_string()))) {
    response.status = 304;
    return response;
  }
  response.body =
      ByteStream{services.blobs.open(blob, 0, blob.size_bytes()), blob.size_bytes()};
  return response;
}

}  // namespace mendel::registry::api
