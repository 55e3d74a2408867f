#include "registry/api/secrets.h"

#include <nlohmann/json.hpp>

#include "registry/api/json.h"
#include "registry/services/egress/vault.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

Name secret_name(const Request& request) {
  return Name::parse("a secret", request.path("name"));
}

json to_json(const Secret& secret) {
  return {{"name", secret.name},
          {"created_at", format_rfc3339(secret.created_at)},
          {"updated_at", format_rfc3339(secret.updated_at)},
          {"updated_by", secret.updated_by}};
}

}  // namespace

// PUT /api/v1/namespaces/{ns}/secrets/{name}
Response put_secret(const Request& request, Services& services) {
  const Name name = secret_name(request);
  ObjectReader body(request.json());
  const std::string value = body.required_string("value");
  body.finish();

  const auto outcome = services.vault.put(request.caller(), request.ns(), name, value);

  return json_response(outcome == Outcome::created ? 201 : 200, {{"name", name.text()}});
}

// GET /api/v1/namespaces/{ns}/secrets
Response list_secrets(const Request& request, Services& services) {
  const auto page = services.vault.list(request.ns(), {request.limit(), request.after()});

  auto items = json::array();
  for (const Secret& secret : page.items) items.push_back(to_json(secret));
  return list_response(std::move(items), page.next);
}

// DELETE /api/v1/namespaces/{ns}/secrets/{name}
Response delete_secret(const Request& request, Services& services) {
  services.vault.remove(request.caller(), request.ns(), secret_name(request));

  return no_content();
}

// POST /api/v1/admin/rotate-secrets
Response rotate_secrets(const Request& request, Services& services) {
  if (!request.body().empty()) ObjectReader(request.json()).finish();

  const std::size_t count = services.vault.rotate(request.caller());

  return json_response(200, {{"rotated", count}, {"key", services.vault.keys().newest()}});
}

}  // namespace mendel::registry::api
