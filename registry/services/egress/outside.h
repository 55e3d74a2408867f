#pragma once

#include <chrono>
#include <filesystem>

#include "registry/services/egress/address_rules.h"
#include "registry/services/egress/key_ring.h"

namespace mendel::registry {

// What the operator decides about the world outside of the server.
struct Outside {
  AddressRules rules;
  std::filesystem::path git_cache;       // where git may write
  KeyRing keys;                          // for secrets
  std::chrono::seconds poll_period{60};  // between two looks at a repository
};

}  // namespace mendel::registry
