#pragma once

#include "registry/services/ledger/definition.h"
#include "schema/ledger_sums.h"

namespace mendel::registry {

// What a counting is about, as statements take it.
inline schema::LedgerScope scope_of(const Counting& counting) {
  return {.counting_id = counting.id,
          .kpi_id = counting.kpi_id,
          .namespaces = counting.namespaces,
          .filter = counting.filter};
}

}  // namespace mendel::registry
