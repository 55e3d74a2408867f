#pragma once

#include <optional>
#include <string>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/change_feed.h"
#include "registry/services/page.h"
#include "registry/services/put.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// What of a namespace may be set; what is left out stays as it is (in a new one: no
// description, private).
struct NamespaceEdit {
  std::optional<std::string> description;
  std::optional<Visibility> visibility;
};

struct Member {
  std::string principal;
  Role role = Role::none;
  Timestamp granted_at;
};

// Namespaces and who has a role in them. What it changes is seen by every request that this
// server answers afterwards, and within a second on others. Any thread.
class NamespaceService {
 public:
  NamespaceService(schema::Database& database, ChangeFeed& changes, AccessService& access);

  // Administrators of the server make namespaces; owners edit them. Throws
  // permission_denied to others, whether the namespace is absent or only not to be seen,
  // and already_exists when the name is taken in another spelling.
  Put<NamespaceInfo> put(const Caller& caller, const Name& name, const NamespaceEdit& edit,
                         const Precondition<NamespaceInfo>& precondition);

  // Those that the caller may read.
  Page<NamespaceInfo> list(const Caller& caller, const PageRequest& page);

  // The caller was found to be an owner of ns. Both throw not_found for principals and
  // members that are not there. The last owner of a namespace stays, unless an
  // administrator of the server takes the role away: already_exists.
  Put<Member> put_member(const Caller& caller, const NamespaceInfo& ns,
                         const Name& principal, Role role,
                         const Precondition<Member>& precondition);
  void remove_member(const Caller& caller, const NamespaceInfo& ns, const Name& principal,
                     const Precondition<Member>& precondition);

  Page<Member> list_members(const NamespaceInfo& ns, const PageRequest& page);

 private:
  schema::Database& database_;
  ChangeFeed& changes_;
  AccessService& access_;
};

}  // namespace mendel::registry
