#include "registry/api/namespaces.h"

#include <nlohmann/json.hpp>

#include "registry/api/json.h"
#include "registry/api/preconditions.h"
#include "registry/services/namespaces.h"
#include "registry/services/services.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

nlohmann::json namespace_json(const NamespaceInfo& ns) {
  return {{"name", ns.name},
          {"description", ns.description},
          {"visibility", to_string(ns.visibility)},
          {"created_at", format_rfc3339(ns.created_at)}};
}

nlohmann::json member_json(const Member& member) {
  return {{"principal", member.principal},
          {"role", to_string(member.role)},
          {"granted_at", format_rfc3339(member.granted_at)}};
}

Visibility get_visibility(const std::string& text) {
  if (const auto visibility = parse_visibility(text)) return *visibility;
  throw Error(ErrorCode::invalid_argument, "must be 'private', 'internal' or 'public'");
}

Role get_role(const std::string& text) {
  if (const auto role = parse_role(text)) return *role;
  throw Error(ErrorCode::invalid_argument,
              "must be 'reader', 'writer', 'maintainer' or 'owner'");
}

}  // namespace

// GET /api/v1/namespaces
Response list_namespaces(const Request& request, Services& services) {
  const auto page =
      services.namespaces.list(request.caller(), {request.limit(), request.after()});

  auto items = nlohmann::json::array();
  for (const NamespaceInfo& ns : page.items) items.push_back(namespace_json(ns));
  return list_response(std::move(items), page.next);
}

// GET /api/v1/namespaces/{ns}
Response get_namespace(const Request& request, Services&) {
  return with_etag(request, json_response(200, namespace_json(request.ns())));
}

// PUT /api/v1/namespaces/{ns}
Response put_namespace(const Request& request, Services& services) {
  const Name name = Name::parse("a namespace", request.path("ns"));
  ObjectReader body(request.json());
  const NamespaceEdit edit{.description = body.optional_string("description"),
                           .visibility = body.parsed("visibility", get_visibility)};
  body.finish();

  const auto put = services.namespaces.put(
      request.caller(), name, edit, if_match<NamespaceInfo>(request, namespace_json));

  return put_response(put, namespace_json);
}

// GET /api/v1/namespaces/{ns}/members
Response list_members(const Request& request, Services& services) {
  // Anybody reads a public namespace, but not who works in it.
  if (request.caller().is_anonymous()) {
    throw Error(ErrorCode::unauthenticated, "this needs a token");
  }
  const auto page =
      services.namespaces.list_members(request.ns(), {request.limit(), request.after()});

  auto items = nlohmann::json::array();
  for (const Member& member : page.items) items.push_back(member_json(member));
  return list_response(std::move(items), page.next);
}

// PUT /api/v1/namespaces/{ns}/members/{principal}
Response put_member(const Request& request, Services& services) {
  const Name principal = Name::parse("a principal", request.path("principal"));
  ObjectReader body(request.json());
  if (!body.has("role")) body.problem("role", "is required");
  const auto role = body.parsed("role", get_role);
  body.finish();

  const auto put =
      services.namespaces.put_member(request.caller(), request.ns(), principal, *role,
                                     if_match<Member>(request, member_json));

  return put_response(put, member_json);
}

// DELETE /api/v1/namespaces/{ns}/members/{principal}
Response delete_member(const Request& request, Services& services) {
  const Name principal = Name::parse("a principal", request.path("principal"));

  services.namespaces.remove_member(request.caller(), request.ns(), principal,
                                    if_match<Member>(request, member_json));

  return no_content();
}

}  // namespace mendel::registry::api
