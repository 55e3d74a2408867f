#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/page.h"
#include "registry/services/put.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

enum class PrincipalKind : std::uint8_t { person, service };
std::string_view to_string(PrincipalKind kind);
std::optional<PrincipalKind> parse_principal_kind(std::string_view text);

struct Principal {
  PrincipalId id = 0;
  std::string name;
  PrincipalKind kind = PrincipalKind::person;
  std::string display_name;
  bool is_admin = false;
  Timestamp created_at;
};

// What is left out stays as it is (in a new one: a person, without a display name, no
// administrator).
struct PrincipalEdit {
  std::optional<PrincipalKind> kind;
  std::optional<std::string> display_name;
  std::optional<bool> is_admin;
};

// The people and services that hold roles and tokens. Any thread.
class PrincipalService {
 public:
  PrincipalService(schema::Database& database, ChangeFeed& changes);

  // The caller was found to be an administrator of the server. Throws already_exists when
  // the name is taken in another spelling.
  Put<Principal> put(const Caller& caller, const Name& name, const PrincipalEdit& edit,
                     const Precondition<Principal>& precondition);

  // Administrators see every principal, others themselves. Throws not_found.
  Principal get(const Caller& caller, const Name& name);

  Page<Principal> list(const PageRequest& page);

  // Where the caller has a role, by the names of the namespaces; an administrator of the
  // server is an owner everywhere. A token that is bound to a namespace has its role there.
  std::map<std::string, Role> roles(const Caller& caller);

 private:
  schema::Database& database_;
  ChangeFeed& changes_;
};

}  // namespace mendel::registry
