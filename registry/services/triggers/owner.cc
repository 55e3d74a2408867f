#include "registry/services/triggers/owner.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace mendel::registry {

Caller owner_of(const schema::TriggerRow& trigger) {
  Scopes scopes;
  scopes.add(Scope::read);
  scopes.add(Scope::write);
  Caller caller;
  caller.principal = trigger.owner_id;
  caller.name = trigger.owner;
  caller.is_admin = trigger.owner_is_admin;
  caller.scopes = scopes;
  caller.only_namespace = trigger.owner_namespace;
  return caller;
}

std::optional<FieldError> find_refusal(AccessService& access, const Caller& caller,
                                       const TriggerDocument& trigger) {
  for (const Name& ns : trigger.watched_namespaces()) {
    if (may_read(caller, access.standing(caller, ns))) continue;
    return FieldError{
        "/when", fmt::format("{} may read no namespace named {}", caller.name, ns.text())};
  }
  const Name& ns = trigger.pipeline.ns();
  const auto standing = access.standing(caller, ns);
  if (!may_read(caller, standing)) {
    return FieldError{"/pipeline", fmt::format("{} may read no namespace named {}",
                                               caller.name, ns.text())};
  }
  if (standing.role < Role::writer || !caller.scopes.has(Scope::write)) {
    return FieldError{"/pipeline",
                      fmt::format("{} must be a writer in {}", caller.name, ns.text())};
  }
  return std::nullopt;
}

std::optional<FieldError> find_refusal(AccessService& access, const Caller& caller,
                                       const HeardEvent& event) {
  if (event.kind != EventKind::kpi) return std::nullopt;
  const auto namespaces = event.payload.at("namespaces").get<std::vector<std::string>>();
  const bool is_readable =
      namespaces.empty()
          ? caller.is_admin && !caller.only_namespace
          : std::ranges::all_of(namespaces, [&](const std::string& text) {
              return may_read(caller,
                              access.standing(caller, Name::parse("a namespace", text)));
            });
  if (is_readable) return std::nullopt;
  return FieldError{"/when", fmt::format("{} may read no KPI named {}", caller.name,
                                         event.payload.at("kpi").get<std::string>())};
}

}  // namespace mendel::registry
