#include "tests/fuzz/hostile_report.h"

#include <cmath>
#include <cstdlib>

#include "registry/api/kpi_report_claim.h"
#include "registry/services/ledger/report_check.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::testing {

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

bool parse_hostile_report(std::span<const std::byte> input) {
  try {
    const auto claim = registry::api::parse_report_claim(as_text(input));
    require(claim.sequence >= 0);
    for (const auto& kpi : claim.kpis) {
      require(kpi.revision >= 1);
      require(std::isfinite(kpi.value));
      require(kpi.parts.empty() || !claim.by.empty());
      for (const auto& part : kpi.parts) require(std::isfinite(part.value));
    }
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

}  // namespace mendel::testing
