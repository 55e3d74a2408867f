#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/definitions.h"
#include "registry/services/ledger/report.h"
#include "registry/services/ledger/seals.h"
#include "registry/services/ledger/sums.h"
#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::registry {

// Makes reports of what the ledger holds. The same question about a time that is past gives
// the same report, whatever comes later. Any thread.
class ReportService {
 public:
  ReportService(schema::Database& database, AccessService& access, const Clock& clock,
                Chainer& chainer, KpiDefinitions& definitions, LedgerSums& sums,
                SealService& seals)
      : database_(database),
        access_(access),
        clock_(clock),
        chainer_(chainer),
        definitions_(definitions),
        sums_(sums),
        seals_(seals) {}

  struct Question {
    std::optional<Timestamp> at;     // as known then; absent, or today's end: by now
    std::optional<Timestamp> until;  // absent: the end of the day of at
    std::string by;                  // see Report::by
    // Changes since the report of that time; absent: since the newest seal before.
    std::optional<Timestamp> since_report;
    std::vector<std::string> kpis;  // ids; empty: all that the caller may read
  };

  // KPIs in order of their ids. Throws invalid_argument for times to come and for a key
  // that is none; not_found for a KPI that is not there, or that the caller may not read.
  Report make(const Caller& caller, const Question& question);

  // The value, the entries and the parts of one KPI, from the entries alone.
  KpiReport recount(const Caller& caller, const KpiDefinition& definition,
                    const LedgerRange& range, const std::string& by);

  // Everything that is known by now.
  LedgerRange range_by_now();

  // What versions are called; those that the caller may not read, "(hidden)"; 0, "".
  std::map<VersionId, std::string> names_of(const Caller& caller,
                                            const std::vector<LedgerSum>& sums);

 private:
  struct Book {
    Timestamp at;
    ChainHead head;
  };
  Book close_book(std::optional<Timestamp> at);
  Book close_book_by_now();
  std::vector<KpiDefinition> definitions_at(const Caller& caller, Timestamp at,
                                            const std::vector<std::string>& ids);
  KpiReport count_kpi(const Caller& caller, const KpiDefinition& definition,
                      const LedgerRange& range, const std::string& by);

  // How the entries of a range are summed up by a key: from kept sums or one by one.
  using SumBy = std::function<std::vector<LedgerSum>(const std::string& key)>;
  std::vector<ReportPart> parts_of(const Caller& caller, const KpiDefinition& definition,
                                   const LedgerRange& range, const std::string& by,
                                   const SumBy& sum_by);
  std::vector<ReportPart> pairs_of(const KpiDefinition& definition,
                                   const LedgerRange& range, const std::string& by);
  std::vector<ReportPart> recount_months(const KpiDefinition& definition,
                                         const LedgerRange& range);

  void compare_with_seal(Report& report);
  void compare_with(const Caller& caller, Timestamp since, Report& report);

  schema::Database& database_;
  AccessService& access_;
  const Clock& clock_;
  Chainer& chainer_;
  KpiDefinitions& definitions_;
  LedgerSums& sums_;
  SealService& seals_;
};

// The name of all versions that a caller may not read.
inline constexpr const char* kHiddenVersion = "(hidden)";

// Throws invalid_argument for what parts cannot be told by. Empty: no parts.
void require_report_key(const std::string& by);

// Where a range begins for a definition that counts since a day.
LedgerRange begin_with(const KpiDefinition& definition, LedgerRange range);

}  // namespace mendel::registry
