#include "registry/services/audit.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace mendel::registry {

namespace {

AuditEntry entry_of(const schema::AuditRow& row) {
  return {.at = row.at,
          .principal = row.entry.principal,
          .action = row.entry.action,
          .subject = row.entry.subject,
          .ns = row.namespace_name,
          .reason = row.entry.reason,
          .detail = row.entry.detail};
}

}  // namespace

void note(schema::Transaction& tx, const Caller& caller, Deed deed) {
  schema::insert_audit(tx, {.principal = caller.name,
                            .action = std::string(deed.action),
                            .subject = std::move(deed.subject),
                            .namespace_id = deed.ns,
                            .reason = std::move(deed.reason),
                            .detail = nlohmann::json(deed.detail).dump()});
}

Page<AuditEntry> AuditService::list(const Question& question, const PageRequest& page) {
  auto rows = database_.read("list the audit log", [&](schema::Transaction& tx) {
    return schema::list_audit(tx, {.namespace_id = question.ns,
                                   .subject = question.subject,
                                   .action = question.action,
                                   .before = id_after(page),
                                   .limit = page.limit + 1});
  });
  return page_of<AuditEntry>(std::move(rows), page, entry_of,
                             [](const auto& row) { return std::to_string(row.id); });
}

}  // namespace mendel::registry
