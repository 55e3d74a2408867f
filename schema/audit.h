#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// The audit log: entries are inserted in the transaction of what they tell of, and never
// changed.

struct AuditEntry {
  std::string principal;
  std::string action;
  std::string subject;
  std::optional<std::int64_t> namespace_id;  // absent: for administrators alone
  std::string reason;
  std::string detail = "{}";  // a JSON object
};

void insert_audit(Transaction& tx, const AuditEntry& entry);

struct AuditRow {
  std::int64_t id = 0;
  Timestamp at;
  std::optional<std::string> namespace_name;
  AuditEntry entry;
};

// What is left out does not narrow the list.
struct AuditQuestion {
  std::optional<std::int64_t> namespace_id;
  std::optional<std::string> subject;
  std::optional<std::string> action;
  std::optional<std::int64_t> before;
  std::size_t limit = 0;
};

// Newest first.
std::vector<AuditRow> list_audit(Transaction& tx, const AuditQuestion& question);

}  // namespace mendel::schema
