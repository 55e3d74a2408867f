#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/egress/key_ring.h"
#include "registry/services/page.h"
#include "registry/services/put.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

struct Secret {
  std::string name;
  Timestamp created_at;
  Timestamp updated_at;
  std::string updated_by;
};

// Secrets that jobs of a namespace need: written, listed by name, never read back by
// anybody but a job's agent. Encrypted at rest (KeyRing). No message of it holds a value.
// Any thread.
class Vault {
 public:
  static constexpr std::size_t kValueSizeMax = 64 << 10;

  Vault(schema::Database& database, KeyRing keys, const Clock& clock)
      : database_(database), keys_(std::move(keys)), clock_(clock) {}

  const KeyRing& keys() const { return keys_; }

  Outcome put(const Caller& caller, const NamespaceInfo& ns, const Name& name,
              std::string_view value);
  Page<Secret> list(const NamespaceInfo& ns, const PageRequest& page);

  // Throws not_found.
  void remove(const Caller& caller, const NamespaceInfo& ns, const Name& name);

  // The values by name, as they were asked for. Throws failed_precondition with the names
  // of those that are missing.
  std::map<std::string, std::string> open(schema::Transaction& tx, NamespaceId ns,
                                          const std::vector<std::string>& names) const;

  // Encrypts with the newest key what was encrypted with others, hooks' secrets too; how
  // many there were. What it was killed over goes on when it is called again.
  std::size_t rotate(const Caller& caller);

 private:
  std::size_t rotate_some();

  schema::Database& database_;
  const KeyRing keys_;
  const Clock& clock_;
};

// What the secret of a hook is sealed for.
std::string hook_purpose(const std::string& hook_id);

}  // namespace mendel::registry
