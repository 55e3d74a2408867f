#include "registry/services/triggers/owner.h"

#include <fmt/format.h>

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

}  // namespace mendel::registry
