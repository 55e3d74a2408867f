#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// Who is calling, and what may it do in a namespace: the two questions of every request.
// Answers are kept in memory and dropped when the change feed says so; the remembered_
// twins answer from memory alone (nullopt: memory can't tell, ask again on a worker) and
// may be called on an I/O thread. Any thread.
class AccessService {
 public:
  AccessService(schema::Database& database, ChangeFeed& changes, const Clock& clock);
  ~AccessService();

  // Throws unauthenticated: unknown, expired, revoked, malformed.
  Caller authenticate(std::string_view secret);
  std::optional<Caller> remembered_caller(std::string_view secret) const;

  // A namespace and what the caller may do in it, by membership, visibility (internal: any
  // token reads; public: anybody does), being an administrator, and the token's namespace.
  // Scopes are not looked at. A namespace that is absent or not to be seen gives
  // Role::none.
  struct Standing {
    NamespaceInfo ns;
    Role role = Role::none;
  };
  Standing standing(const Caller& caller, const Name& ns);
  std::optional<Standing> remembered_standing(const Caller& caller, const Name& ns) const;

  // The standing, if it is enough. Throws not_found ("no namespace named …") or, with a
  // token that may read it, permission_denied; unauthenticated without a token. Also checks
  // that the token has the scope that the role needs (reader: read; writer and maintainer:
  // write; owner: admin).
  Standing require(const Caller& caller, const Name& ns, Role needed);

  // The standing, if the caller may fetch models there. Throws as require() does for who
  // may not read.
  Standing require_fetch(const Caller& caller, const Name& ns);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether the caller may read the namespace: by its role and its token's scopes, or because
// everybody may. Where it may not, the namespace does not exist for it.
bool may_read(const Caller& caller, const AccessService::Standing& standing);

// The same, and what a token of the scope kpi may besides: fetch the models whose events it
// records.
bool may_fetch(const Caller& caller, const AccessService::Standing& standing);

}  // namespace mendel::registry
