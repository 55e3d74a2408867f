#pragma once

#include <cstdint>

#include "schema/database.h"
#include "storage/base/clock.h"

namespace mendel::schema {

// Whether a KPI is behind its pace. Returns whether that is new: one that nobody has looked
// at before was not behind.
bool record_kpi_pace(Transaction& tx, std::int64_t kpi_id, bool is_behind, Timestamp now);

}  // namespace mendel::schema
