#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/entry.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "schema/ledger_entries.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// What a stored entry says, in the form that its hash is over.
LedgerEntry ledger_entry_of(const schema::LedgerEntryRow& row);

// Reads the ledger entry by entry, in the order of its chain. Any thread.
class LedgerEntries {
 public:
  LedgerEntries(schema::Database& database, AccessService& access,
                KpiDefinitions& definitions)
      : database_(database), access_(access), definitions_(definitions) {}

  struct Item {
    std::int64_t sequence = 0;
    std::int32_t position = 0;
    Timestamp recorded_at;
    Digest hash;
    std::string principal;
    LedgerEntry entry;  // without a model that the caller may not read
  };
  struct Question {
    std::optional<Name> kpi;
    std::optional<Name> ns;
  };

  // Of KPIs and namespaces that the caller may read. Throws not_found for a KPI that it may
  // not.
  Page<Item> list(const Caller& caller, const Question& question, const PageRequest& page);

 private:
  schema::Database& database_;
  AccessService& access_;
  KpiDefinitions& definitions_;
};

}  // namespace mendel::registry
