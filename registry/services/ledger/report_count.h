#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/report.h"
#include "registry/services/ledger/sums.h"

namespace mendel::registry {

// What the sums of the ledger come to by a KPI's way of counting: the arithmetic of
// reports.

// The key that entries must be summed up by to be counted: that of a KPI of distinct
// values, "" of others.
const std::string& counting_key(const KpiDefinition& definition);

struct Counted {
  Amount value;
  std::int64_t entries = 0;
};

// sums: by counting_key().
Counted count(const KpiDefinition& definition, std::span<const LedgerSum> sums);

// The same for groups of them, which key_of names; without those in which nothing counts.
std::vector<ReportPart> count_parts(
    const KpiDefinition& definition, std::span<const LedgerSum> sums,
    const std::function<std::string(const LedgerSum&)>& key_of);

// By calendar month of UTC ("2024-02"). days: by counting_key().
std::vector<ReportPart> count_months(const KpiDefinition& definition,
                                     std::span<const LedgerDay> days);
std::string month_of(std::chrono::sys_days day);

// The largest first, those that are alike by their keys.
void sort_parts(std::vector<ReportPart>& parts);

// What the value had come to, on the days on which it changed. days: by counting_key().
std::vector<ReportPoint> accumulate(const KpiDefinition& definition,
                                    std::vector<LedgerDay> days);

// Some of the points, evenly, with the first and the last one among them.
std::vector<ReportPoint> thinned_out(std::vector<ReportPoint> points,
                                     std::size_t points_max);

}  // namespace mendel::registry
