#include "registry/api/principals.h"

#include <nlohmann/json.hpp>

#include "registry/api/json.h"
#include "registry/api/preconditions.h"
#include "registry/api/scope_list.h"
#include "registry/services/principals.h"
#include "registry/services/services.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

nlohmann::json principal_json(const Principal& principal) {
  return {{"name", principal.name},
          {"kind", to_string(principal.kind)},
          {"display_name", principal.display_name},
          {"is_admin", principal.is_admin},
          {"created_at", format_rfc3339(principal.created_at)}};
}

PrincipalKind get_kind(const std::string& text) {
  if (const auto kind = parse_principal_kind(text)) return *kind;
  throw Error(ErrorCode::invalid_argument, "must be 'person' or 'service'");
}

}  // namespace

// GET /api/v1/principals
Response list_principals(const Request& request, Services& services) {
  const auto page = services.principals.list({request.limit(), request.after()});

  auto items = nlohmann::json::array();
  for (const Principal& principal : page.items) items.push_back(principal_json(principal));
  return list_response(std::move(items), page.next);
}

// GET /api/v1/principals/{name}
Response get_principal(const Request& request, Services& services) {
  const Name name = Name::parse("a principal", request.path("name"));

  const Principal principal = services.principals.get(request.caller(), name);

  return with_etag(request, json_response(200, principal_json(principal)));
}

// PUT /api/v1/principals/{name}
Response put_principal(const Request& request, Services& services) {
  const Name name = Name::parse("a principal", request.path("name"));
  ObjectReader body(request.json());
  const PrincipalEdit edit{.kind = body.parsed("kind", get_kind),
                           .display_name = body.optional_string("display_name"),
                           .is_admin = body.optional_boolean("is_admin")};
  body.finish();

  const auto put = services.principals.put(request.caller(), name, edit,
                                           if_match<Principal>(request, principal_json));

  return put_response(put, principal_json);
}

// GET /api/v1/whoami
Response whoami(const Request& request, Services& services) {
  const Caller& caller = request.caller();
  auto roles = nlohmann::json::object();
  for (const auto& [ns, role] : services.principals.roles(caller))
    roles[ns] = to_string(role);

  nlohmann::json body{{"principal", caller.name},
                      {"is_admin", caller.is_admin},
                      {"scopes", scopes_json(caller.scopes)},
                      {"namespaces", std::move(roles)}};
  if (caller.expires_at) body["expires_at"] = format_rfc3339(*caller.expires_at);
  return with_etag(request, json_response(200, body));
}

}  // namespace mendel::registry::api
