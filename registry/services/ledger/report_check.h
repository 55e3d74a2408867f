#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/report_service.h"
#include "schema/database.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// What the document of a report says: its numbers, and what they are said to follow from.
struct ReportClaim {
  struct Part {
    std::string key;
    double value = 0;
    std::int64_t entries = 0;
  };
  struct Kpi {
    std::string id;
    std::int32_t revision = 0;
    double value = 0;
    std::int64_t entries = 0;
    std::vector<Part> parts;
    bool is_cut = false;  // there were more parts
  };
  Timestamp at;
  Timestamp until;
  std::string by;
  std::int64_t sequence = 0;
  std::int64_t chain_entries = 0;
  Digest chain_hash;
  std::vector<Kpi> kpis;
};

// One thing that was looked at, and what was found.
struct ReportFinding {
  std::string what;  // "document", "chain", or the id of a KPI
  bool is_ok = false;
  std::string detail;
};

// Tells whether the numbers of a report follow from the ledger. Any thread.
class ReportCheck {
 public:
  ReportCheck(schema::Database& database, KpiDefinitions& definitions,
              ReportService& reports)
      : database_(database), definitions_(definitions), reports_(reports) {}

  // Whether the chain is there that the report names, and each number again from the
  // entries in it, one by one, by the definitions of then. Throws invalid_argument for
  // parts by what is no key.
  std::vector<ReportFinding> check(const Caller& caller, const ReportClaim& claim);

 private:
  ReportFinding check_chain(const ReportClaim& claim);
  ReportFinding check_kpi(const Caller& caller, const ReportClaim& claim,
                          const ReportClaim::Kpi& kpi,
                          const std::vector<KpiDefinition>& definitions);

  schema::Database& database_;
  KpiDefinitions& definitions_;
  ReportService& reports_;
};

}  // namespace mendel::registry
