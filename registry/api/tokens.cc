#include "registry/api/tokens.h"

#include <nlohmann/json.hpp>

#include "registry/api/json.h"
#include "registry/api/scope_list.h"
#include "registry/services/services.h"
#include "registry/services/tokens.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

nlohmann::json token_json(const Token& token) {
  nlohmann::json body{{"id", token.id},
                      {"principal", token.principal},
                      {"name", token.name},
                      {"scopes", scopes_json(token.scopes)},
                      {"created_at", format_rfc3339(token.created_at)}};
  if (token.ns) body["namespace"] = *token.ns;
  if (token.expires_at) body["expires_at"] = format_rfc3339(*token.expires_at);
  if (token.revoked_at) body["revoked_at"] = format_rfc3339(*token.revoked_at);
  return body;
}

std::optional<Scopes> read_scopes(ObjectReader& body) {
  if (!body.has("scopes")) return std::nullopt;
  Scopes scopes;
  for (const std::string& text : body.optional_strings("scopes")) {
    if (const auto scope = parse_scope(text)) {
      scopes.add(*scope);
    } else {
      body.problem("scopes", "may hold 'read', 'write', 'admin', 'kpi' and 'agent'");
    }
  }
  return scopes;
}

}  // namespace

// POST /api/v1/tokens
Response create_token(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const TokenRequest wanted{
      .principal = body.parsed(
          "principal", [](const auto& text) { return Name::parse("a principal", text); }),
      .name = body.optional_string("name").value_or(""),
      .scopes = read_scopes(body),
      .ns = body.parsed("namespace",
                        [](const auto& text) { return Name::parse("a namespace", text); }),
      .expires_in_days = body.optional_integer("expires_in_days")};
  body.finish();

  const auto issued = services.tokens.issue(request.caller(), wanted);

  nlohmann::json answer = token_json(issued.token);
  answer["secret"] = issued.secret;
  Response response = json_response(201, answer);
  response.headers.set("Location", "/api/v1/tokens/" + issued.token.id);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// GET /api/v1/tokens
Response list_tokens(const Request& request, Services& services) {
  std::optional<Name> principal;
  if (const auto text = request.query("principal"))
    principal = Name::parse("a principal", *text);

  const auto page =
      services.tokens.list(request.caller(), principal, {request.limit(), request.after()});

  auto items = nlohmann::json::array();
  for (const Token& token : page.items) items.push_back(token_json(token));
  return list_response(std::move(items), page.next);
}

// GET /api/v1/tokens/{id}
Response get_token(const Request& request, Services& services) {
  const Token token = services.tokens.get(request.caller(), request.path("id"));

  return with_etag(request, json_response(200, token_json(token)));
}

// DELETE /api/v1/tokens/{id}
Response revoke_token(const Request& request, Services& services) {
  services.tokens.revoke(request.caller(), request.path("id"));

  return no_content();
}

}  // namespace mendel::registry::api
