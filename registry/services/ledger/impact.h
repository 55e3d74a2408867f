#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/report.h"
#include "registry/services/ledger/report_service.h"
#include "registry/services/ledger/sums.h"
#include "registry/services/pedigree.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// What versions count for, of one KPI.
struct KpiImpact {
  KpiDefinition definition;
  Amount value;
  Amount total;  // of all versions, and without one
  std::int64_t entries = 0;
  std::vector<ReportPart> parts;  // by a subject key, the largest first
  std::vector<ReportPart> versions;
};

struct Impact {
  static constexpr std::size_t kVersionsMax = 100'000;

  Timestamp at;                       // as known then
  std::vector<std::string> versions;  // references
  std::size_t hidden = 0;             // that the caller may not read
  std::vector<KpiImpact> kpis;        // those for which something was produced
};

// Tells what was produced with anything that was made from a version, or from a commit: the
// ledger joined with the pedigree. Any thread.
class ImpactService {
 public:
  ImpactService(schema::Database& database, PedigreeService& pedigree,
                KpiDefinitions& definitions, LedgerSums& sums, ReportService& reports)
      : database_(database),
        pedigree_(pedigree),
        definitions_(definitions),
        sums_(sums),
        reports_(reports) {}

  // by: a subject key; of a KPI of distinct values its own is taken. What the caller may
  // not read is counted, and nothing behind it is looked at. Throws too_large where more
  // than kVersionsMax versions are downstream.
  Impact of_version(const Caller& caller, VersionId version, const std::string& by);

  // commit: some first digits of its hash. Throws as PedigreeService::find_commit() does.
  Impact of_commit(const Caller& caller, const std::string& commit, const std::string& by);

 private:
  Impact of_all(const Caller& caller, const std::vector<VersionId>& roots,
                const std::string& by);
  KpiImpact of_kpi(const Caller& caller, const KpiDefinition& definition,
                   const LedgerRange& range, const std::vector<VersionId>& versions,
                   const std::string& by);

  schema::Database& database_;
  PedigreeService& pedigree_;
  KpiDefinitions& definitions_;
  LedgerSums& sums_;
  ReportService& reports_;
};

}  // namespace mendel::registry
