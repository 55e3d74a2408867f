#pragma once

#include <optional>
#include <string>

#include "registry/services/caller.h"
#include "schema/access.h"

namespace mendel::registry {

// What the rows of schema/access.h mean. Values that no table can hold, by its checks,
// throw data_loss.
NamespaceInfo namespace_of(const schema::NamespaceRow& row);
Role role_of(const std::optional<std::string>& stored);  // none without one

// Whose eyes look at a list: those of who may read.
schema::NamespaceViewer viewer_for(const Caller& caller);

}  // namespace mendel::registry
