#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "registry/services/caller.h"
#include "registry/services/page.h"
#include "schema/audit.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Something that a caller did, for schema::insert_audit(): in the transaction that does it.
struct Deed {
  std::string_view action;  // "version.delete"
  std::string subject;      // what it was done to
  std::optional<NamespaceId> ns;
  std::string reason;
  std::map<std::string, std::string> detail;
};
void note(schema::Transaction& tx, const Caller& caller, Deed deed);

struct AuditEntry {
  Timestamp at;
  std::string principal;
  std::string action;
  std::string subject;
  std::optional<std::string> ns;
  std::string reason;
  std::string detail;  // a JSON object
};

// Reads the audit log. Any thread.
class AuditService {
 public:
  explicit AuditService(schema::Database& database) : database_(database) {}

  struct Question {
    std::optional<NamespaceId> ns;
    std::optional<std::string> subject;
    std::optional<std::string> action;
  };

  // Newest first. The caller was found to be allowed to read it: an administrator of the
  // server, or an owner of the namespace that is asked for.
  Page<AuditEntry> list(const Question& question, const PageRequest& page);

 private:
  schema::Database& database_;
};

}  // namespace mendel::registry
