#pragma once

#include <map>
#include <optional>
#include <string>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/entry.h"
#include "registry/services/ledger/sent_entry.h"
#include "schema/database.h"
#include "schema/ledger_entries.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// An entry whose names were looked up, and that its sender may record.
struct ResolvedEntry {
  LedgerEntry entry;
  schema::LedgerKey key;
  std::optional<schema::LedgerModelRow> model;
  bool named_by_digest = false;  // the model: versions may share one
  Digest hash;
};

// Looks up what the entries of one batch name, each thing once. For one thread.
class EntryResolver {
 public:
  EntryResolver(schema::Database& database, AccessService& access,
                KpiDefinitions& definitions, const Caller& caller, Timestamp now)
      : database_(database),
        access_(access),
        definitions_(definitions),
        caller_(caller),
        now_(now) {}

  // Throws not_found, permission_denied, unprocessable, invalid_argument: why this entry is
  // refused.
  ResolvedEntry resolve(const SentEntry& sent);

 private:
  using Standing = AccessService::Standing;

  const std::optional<KpiDefinition>& find_kpi(const Name& id);
  const Standing& standing(const Name& ns);
  const schema::LedgerModelRow& get_model(const Reference& ref);
  Name namespace_of(const SentEntry& sent, const KpiDefinition& kpi) const;
  void require_writer(const SentEntry& sent, const KpiDefinition& kpi, const Name& ns,
                      const Standing& standing);
  Amount value_of(const SentEntry& sent, const KpiDefinition& kpi) const;
  void check_time(Timestamp occurred_at) const;

  schema::Database& database_;
  AccessService& access_;
  KpiDefinitions& definitions_;
  const Caller& caller_;
  const Timestamp now_;

  std::map<std::string, std::optional<KpiDefinition>> kpis_;             // by folded id
  std::map<std::string, Standing> standings_;                            // by folded name
  std::map<std::string, std::optional<schema::LedgerModelRow>> models_;  // by reference
};

}  // namespace mendel::registry
