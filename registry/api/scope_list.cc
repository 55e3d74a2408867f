#include "registry/api/scope_list.h"

namespace mendel::registry::api {

nlohmann::json scopes_json(Scopes scopes) {
  auto list = nlohmann::json::array();
  for (const Scope scope :
       {Scope::read, Scope::write, Scope::admin, Scope::kpi, Scope::agent}) {
    if (scopes.has(scope)) list.push_back(to_string(scope));
  }
  return list;
}

}  // namespace mendel::registry::api
