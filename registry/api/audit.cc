#include "registry/api/audit.h"

#include "registry/api/json.h"
#include "registry/services/access.h"
#include "registry/services/audit.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

json to_json(const AuditEntry& entry) {
  json object{{"at", format_rfc3339(entry.at)}, {"principal", entry.principal},
              {"action", entry.action},         {"subject", entry.subject},
              {"reason", entry.reason},         {"detail", json::parse(entry.detail)}};
  if (entry.ns) object["namespace"] = *entry.ns;
  return object;
}

std::optional<std::string> text_of(std::optional<std::string_view> query) {
  if (!query) return std::nullopt;
  return std::string(*query);
}

// Owners read what happened in their namespace; the rest is for administrators.
std::optional<NamespaceId> namespace_of(const Request& request, Services& services) {
  const auto name = request.query("namespace");
  if (name) {
    const Name ns = Name::parse("a namespace", *name);
    return services.access.require(request.caller(), ns, Role::owner).ns.id;
  }
  if (request.caller().administers_server()) return std::nullopt;
  throw Error(ErrorCode::permission_denied,
              "only an administrator of this server reads the whole audit log: name a "
              "namespace that you own with ?namespace=");
}

}  // namespace

// GET /api/v1/audit
Response list_audit(const Request& request, Services& services) {
  const AuditService::Question question{.ns = namespace_of(request, services),
                                        .subject = text_of(request.query("subject")),
                                        .action = text_of(request.query("action"))};

  const auto page = services.audit.list(question, {request.limit(), request.after()});

  auto items = json::array();
  for (const AuditEntry& entry : page.items) items.push_back(to_json(entry));
  return list_response(std::move(items), page.next);
}

}  // namespace mendel::registry::api
