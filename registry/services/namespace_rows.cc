#include "registry/services/namespace_rows.h"

#include "storage/base/error.h"

namespace mendel::registry {

NamespaceInfo namespace_of(const schema::NamespaceRow& row) {
  const auto visibility = parse_visibility(row.visibility);
  if (!visibility) throw Error(ErrorCode::data_loss, "a namespace has no known visibility");
  return {row.id, row.name, row.description, *visibility, row.created_at};
}

Role role_of(const std::optional<std::string>& stored) {
  if (!stored) return Role::none;
  const auto role = parse_role(*stored);
  if (!role) throw Error(ErrorCode::data_loss, "a membership has no known role");
  return *role;
}

schema::NamespaceViewer viewer_for(const Caller& caller) {
  // An attempt at a job knows what it needs by name: lists show it what everybody sees.
  const bool sees_more =
      !caller.is_anonymous() && caller.scopes.has(Scope::read) && !caller.attempt;
  if (!sees_more) return {};
  return {.sees_all = caller.is_admin,
          .sees_internal = true,
          .member = caller.principal,
          .only_namespace = caller.only_namespace};
}

}  // namespace mendel::registry
