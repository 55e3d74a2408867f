#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/report.h"
#include "registry/services/page.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/object_store.h"

namespace mendel::registry {

// A report that was frozen: its document does not change any more, and its digest says so.
struct Seal {
  std::int64_t id = 0;
  Digest digest;         // of the document
  std::string document;  // canonical JSON; empty in lists
  Timestamp at;
  Timestamp until;
  std::int64_t sequence = 0;  // the end of the chain that it follows from
  Digest chain_hash;
  Timestamp sealed_at;
  std::string sealed_by;
};

// Keeps sealed reports, in the database and as objects. A seal is read by who may read
// every KPI in it, and does not exist for others. Any thread.
class SealService {
 public:
  // anchor: keeps the end of the chain outside of the database.
  SealService(schema::Database& database, storage::ObjectStore& objects, const Clock& clock,
              KpiDefinitions& definitions, std::function<void(const ChainHead&)> anchor)
      : database_(database),
        objects_(objects),
        clock_(clock),
        definitions_(definitions),
        anchor_(std::move(anchor)) {}

  // document: what is to be kept of the report. Throws not_found for a report without KPIs.
  // A document that was sealed already stays as it is.
  Seal seal(const Caller& caller, const Report& report, const std::string& document);

  // Throws not_found.
  Seal get(const Caller& caller, const Digest& digest);
  std::optional<Seal> find(const Caller& caller, const Digest& digest);
  Page<Seal> list(const Caller& caller, const PageRequest& page);

  // The document as the object store has it, if it has one.
  std::optional<std::string> stored_copy(const Digest& digest);

  // The newest seal that a report at this time, going so far, can be compared with.
  struct Previous {
    PreviousReport report;
    std::map<std::int64_t, Amount> values;  // by KPI
  };
  std::optional<Previous> find_before(const Report& report);

 private:
  std::vector<std::int64_t> readable_kpis(const Caller& caller);

  schema::Database& database_;
  storage::ObjectStore& objects_;
  const Clock& clock_;
  KpiDefinitions& definitions_;
  std::function<void(const ChainHead&)> anchor_;
};

}  // namespace mendel::registry
