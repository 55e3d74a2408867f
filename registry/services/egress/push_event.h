#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "schema/database.h"

namespace mendel::registry {

// A push, as triggers are told of it.
struct PushEvent {
  NamespaceId ns = 0;      // triggers of this namespace hear it
  std::string repository;  // in its normal form
  std::string ref;
  std::optional<std::string> before;
  std::string after;
  std::optional<std::vector<std::string>> paths;  // absent: any may have changed
  std::string delivery;                           // how it came to us
};

// The event's id. Triggers of other namespaces are not told: whoever holds the secret of a
// hook, or of the repository, could else have their jobs run a commit of his choice.
std::int64_t record_push(schema::Transaction& tx, const PushEvent& push);

}  // namespace mendel::registry
