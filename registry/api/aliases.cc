#include "registry/api/aliases.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/services/aliases.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

json to_json(const AliasService::Move& move) {
  json document{{"alias", move.alias},
                {"moved_at", format_rfc3339(move.moved_at)},
                {"moved_by", move.moved_by},
                {"reason", move.reason}};
  if (move.version) document["version"] = *move.version;
  if (move.digest) document["digest"] = move.digest->to_string();
  if (move.previous) document["previous"] = *move.previous;
  return document;
}

// Years that PostgreSQL does not know are as good as any before the first move.
Timestamp asked_time(std::string_view at) {
  return std::max(parse_rfc3339(at), Timestamp());
}

std::string etag_of(const AliasService::Move& move) {
  return fmt::format("\"{}\"", move.move);
}

Response move_response(const Request& request, const AliasService::Move& move) {
  Response response = json_response(200, to_json(move));
  response.headers.set("ETag", etag_of(move));
  if (request.none_match(etag_of(move))) {
    response.status = 304;
    response.body = std::string();
  }
  return response;
}

// If-Match names the move that the caller saw; If-None-Match: * means "only if it is new".
AliasService::Guard guard_of(const Request& request) {
  return [&request](const std::optional<AliasService::Move>& current) {
    if (current) {
      request.require_match(etag_of(*current));
    } else if (request.has_if_match()) {
      throw Error(ErrorCode::failed_precondition, "the alias does not exist");
    }
    if (current && request.header("If-None-Match") == "*") {
      throw Error(ErrorCode::failed_precondition, "the alias exists already");
    }
  };
}

}  // namespace

Response get_alias(const Request& request, Services& services) {
  const auto artifact = artifact_of(request);
  const auto alias = alias_of(request);
  const auto at = request.query("at");
  return move_response(
      request,
      at ? services.aliases.get_at(artifact, kind_of(request), alias, asked_time(*at))
         : services.aliases.get(artifact, kind_of(request), alias));
}

Response put_alias(const Request& request, Services& services) {
  const auto artifact = artifact_of(request);
  const auto alias = alias_of(request);
  ObjectReader body(request.json());
  const std::int64_t version = body.required_integer("version");
  const std::string reason = body.optional_string("reason").value_or("");
  if (body.has("version") &&
      (version < 1 || version > std::numeric_limits<VersionNumber>::max())) {
    body.problem("version", "must be the number of a version");
  }
  body.finish();

  return move_response(request, services.aliases.set(request.caller(), request.ns().id,
                                                     artifact, kind_of(request), alias,
                                                     static_cast<VersionNumber>(version),
                                                     reason, guard_of(request)));
}

Response delete_alias(const Request& request, Services& services) {
  ObjectReader body(request.body().empty() ? json::object() : request.json());
  const std::string reason = body.optional_string("reason").value_or("");
  body.finish();

  services.aliases.remove(request.caller(), request.ns().id, artifact_of(request),
                          kind_of(request), alias_of(request), reason, guard_of(request));
  return no_content();
}

Response list_alias_history(const Request& request, Services& services) {
  const std::size_t limit = request.limit();
  const auto moves =
      services.aliases.history(artifact_of(request), kind_of(request), alias_of(request),
                               number_after(request), limit);

  auto items = json::array();
  for (const auto& move : moves) items.push_back(to_json(move));
  std::optional<std::string> next;
  if (moves.size() == limit && moves.back().move > 1)
    next = std::to_string(moves.back().move);
  return with_etag(request, list_response(std::move(items), next));
}

}  // namespace mendel::registry::api
